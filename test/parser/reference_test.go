package parser

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// span is a request as net/http reads it, and where in the streams it begins and
// its answer ends. With neither answer nor close, end is -1.
type span struct {
	measured
	start, end int
	untilClose bool // only the close ends the answer
}

// reader tells how far net/http has read.
type reader struct {
	*bufio.Reader
	whole []byte
	rest  *bytes.Reader
}

func newReader(whole []byte) *reader {
	rest := bytes.NewReader(whole)
	return &reader{Reader: bufio.NewReader(rest), whole: whole, rest: rest}
}

func (r *reader) offset() int { return len(r.whole) - r.rest.Len() - r.Buffered() }

// methodOf is the number of a method, as the parser should find it.
func methodOf(token string) Method {
	for m := Method(1); m < methods; m++ {
		if m.String() == token {
			return m
		}
	}
	return 0
}

// pathOf is the part of a target that the parser tells.
func pathOf(target string) string {
	if end := strings.IndexAny(target, "?# "); end >= 0 {
		target = target[:end]
	}
	return target[:min(len(target), PathCap)]
}

// readRequests reads all requests of a stream.
func readRequests(t testing.TB, stream []byte) []span {
	t.Helper()
	var spans []span
	r := newReader(stream)
	for {
		start := r.offset()
		request, err := http.ReadRequest(r.Reader)
		if errors.Is(err, io.EOF) {
			return spans
		}
		if err != nil {
			t.Fatalf("net/http cannot read the generated request at %d: %v", start, err)
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			t.Fatalf("net/http cannot read the body of the generated request at %d: %v", start, err)
		}
		spans = append(spans, span{
			measured: measured{
				method:  methodOf(request.Method),
				path:    pathOf(request.RequestURI),
				host:    hostOf(stream[start:]),
				version: uint8(request.ProtoMinor),
			},
			start: start, end: -1,
		})
		if request.Method == http.MethodConnect || request.Header.Get("Upgrade") != "" {
			return spans
		}
	}
}

// hostOf finds the Host field itself, since net/http prefers that of the target.
func hostOf(request []byte) string {
	for line := range strings.Lines(string(request)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Host") {
			return strings.Trim(value, " \t")
		}
	}
	return ""
}

// readAnswers reads the answers to the requests and completes their spans.
func readAnswers(stream []byte, spans []span, failure Failure) {
	r := newReader(stream)
	for i := range spans {
		s := &spans[i]
		start := r.offset()
		answer, err := readFinal(r, s.method)
		if err != nil {
			s.failure = failure
			if line := stream[start:]; bytes.IndexByte(line, '\n') >= 0 { // its status is known
				s.status = 200
				s.failure = truncatedBy(failure)
			}
			for j := i + 1; j < len(spans); j++ {
				spans[j].failure = failure
			}
			return
		}
		s.status = uint16(answer.StatusCode)
		if answer.StatusCode != http.StatusSwitchingProtocols && s.method.String() != http.MethodConnect {
			s.untilClose = answer.ContentLength < 0 && answer.TransferEncoding == nil
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				s.failure = truncatedBy(failure)
				continue
			}
		}
		s.end = r.offset()
	}
}

func truncatedBy(failure Failure) Failure {
	if failure == Closed {
		return Truncated
	}
	return failure
}

// readFinal reads the head of the next answer that is not an interim one.
func readFinal(r *reader, method Method) (*http.Response, error) {
	request := &http.Request{Method: method.String()}
	for {
		answer, err := http.ReadResponse(r.Reader, request)
		if err != nil || answer.StatusCode >= 200 || answer.StatusCode == http.StatusSwitchingProtocols {
			return answer, err
		}
	}
}
