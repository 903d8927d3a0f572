package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

//go:embed crowd.py
var crowdScript string

const (
	// listens: one process of a crowd in so many.
	listens = 20
	// startups is how often Sonde is started beside each crowd, at most.
	startups = 3
)

// measureStartup measures how long Sonde takes until it is ready, beside crowds
// of processes that sleep.
func measureStartup(s *stage, p plan, rec *record) {
	for _, size := range []int{10, 1000, 5000} {
		leave := gather(s, size)
		subject := fmt.Sprintf("%d idle processes, %d listen", size, (size+listens-1)/listens)
		for range min(p.rounds, startups) {
			s.must(s.Context().Err())
			begin := time.Now()
			e := launch(s, p.programs.Exporter, harness.Options{})
			took := time.Since(begin)
			used, err := cpuTime(e.PID)
			s.must(err)
			q := func(measure, unit string) quantity {
				return quantity{part: partMemory, subject: subject, measure: measure, unit: unit}
			}
			rec.add(q("start until ready", "ms"), with, 1e3*took.Seconds())
			rec.add(q("CPU of Sonde until ready", "ms"), with, 1e3*used.Seconds())
			rec.add(q("resident", "MB"), with, float64(e.RSS(s))/1e6)
			s.must(e.Stop())
		}
		leave()
		p.progress(subject)
	}
}

// gather starts a crowd and returns once all its processes sleep. They end with
// the pipe that is their standard input: when leave is called, and when the
// benchmark ends, however it does.
func gather(s *stage, size int) (leave func()) {
	cmd := exec.Command(servers.Tool(s, "python3"), "-c", crowdScript, strconv.Itoa(size), strconv.Itoa(listens))
	// Not the children of a killed parent are killed by this, but the pipe is closed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	leash, err := cmd.StdinPipe()
	s.must(err)
	out, err := cmd.StdoutPipe()
	s.must(err)
	s.must(cmd.Start())
	left := false
	leave = func() {
		if left {
			return
		}
		left = true
		_ = leash.Close()
		_, _ = io.Copy(io.Discard, out) // it has said all that it has to say
		if err := cmd.Wait(); err != nil {
			s.Errorf("the crowd of %d processes did not go in peace: %v", size, err)
		}
	}
	s.Cleanup(leave)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		s.Fatalf("the crowd of %d processes did not come together: %v", size, err)
	}
	return leave
}
