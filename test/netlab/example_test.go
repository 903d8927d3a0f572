package netlab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sonde_exporter/test/netlab"
)

// A server and a client with a bad wire between them: Sonde, which runs outside,
// has to count each request exactly once, however often its packets were lost,
// duplicated or overtaken.
func Example() {
	const requests = 1000
	lab, err := netlab.New(netlab.Impairment{
		Loss: 0.02, Duplicate: 0.02, Reorder: 0.05, PayloadOnly: true, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(sendRequests(lab, requests), lab.Close())
	if err != nil {
		log.Fatal(err)
	}
	counted, err := countedBySonde("8000")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sent %d requests, Sonde counted %d\n", requests, counted)
	fmt.Printf("the wire did %+v\n", lab.Stats().Total())
}

// sendRequests runs a server in one namespace and sends it requests from the other.
func sendRequests(lab *netlab.Lab, requests int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	address := lab.Server().IPv4().String()
	server := lab.Server().Command(ctx, "python3", "-m", "http.server", "--bind", address, "8000")
	if err := server.Start(); err != nil {
		return err
	}
	if err := waitFor(ctx, lab.Client(), address+":8000"); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: lab.Client().DialContext}}
	for range requests {
		response, err := client.Get("http://" + address + ":8000/")
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return err
		}
	}
	return nil
}

// waitFor returns as soon as the server accepts connections.
func waitFor(ctx context.Context, from *netlab.Namespace, address string) error {
	for {
		connection, err := from.DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// countedBySonde adds up the server requests on a port that Sonde has observed.
func countedBySonde(port string) (total uint64, err error) {
	response, err := http.Get("http://127.0.0.1:19100/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "http_server_request_duration_seconds_count{") ||
			!strings.Contains(line, `server_port="`+port+`"`) {
			continue
		}
		count, err := strconv.ParseUint(line[strings.LastIndexByte(line, ' ')+1:], 10, 64)
		if err != nil {
			return 0, err
		}
		total += count
	}
	return total, lines.Err()
}
