package otlp

import (
	"net/http"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

// text is what the body of an error says. Receivers of OTLP/HTTP put a
// google.rpc.Status there
// (https://opentelemetry.io/docs/specs/otlp/#failures-1), others plain text.
func text(header http.Header, body []byte) string {
	if mediaType(header.Get("Content-Type")) == "application/x-protobuf" {
		var status statuspb.Status
		if err := proto.Unmarshal(body, &status); err == nil {
			return status.GetMessage()
		}
	}
	return string(body)
}
