package web

import (
	"fmt"
	"strings"

	"sonde_exporter/amount"
	"sonde_exporter/status"
)

// instancesShown bounds the instances of a service on the page; the API has all.
const instancesShown = 4

// requests are a service's in one role.
type requests struct {
	Role, Rate string
	Over       string // what time the rate is of, if not of the whole window
	Requests   *status.Requests
}

// served are the requests that a service answered. Where nothing was measured but
// something was spoken, none would be wrong: there may have been many.
func served(s status.Service, window status.Window) requests {
	r := requests{Role: "serves", Requests: s.Server}
	switch {
	case s.Server == nil:
	case s.Server.Total == 0 && len(s.NotMeasured) > 0:
		r.Rate = absent
	default:
		r.Rate, r.Over = rateOf(s.Server, window)
	}
	return r
}

// calls are the requests that a service made.
func calls(s status.Service, window status.Window) requests {
	r := requests{Role: "calls", Requests: s.Client}
	if s.Client != nil {
		r.Rate, r.Over = rateOf(s.Client, window)
	}
	return r
}

// rateOf is a rate, and over what time if the service began within the window.
func rateOf(r *status.Requests, window status.Window) (rate, over string) {
	if r.WindowSeconds < window.Seconds {
		over = "over " + status.DurationWords(r.WindowSeconds)
	}
	return formatRate(r.PerSecond), over
}

// called tells whether a service has ever made a request.
func called(s status.Service) bool { return s.Client != nil && s.Client.Total > 0 }

// rows is how many rows of the table a service takes.
func rows(s status.Service) int {
	n := 1
	if called(s) {
		n++
	}
	if len(s.NotMeasured) > 0 {
		n++
	}
	return n
}

// processes tells what a service consists of: /usr/sbin/nginx, pid 812 and 2 more.
func processes(instances []status.Instance) string {
	var texts []string
	for i, instance := range instances {
		if i == instancesShown {
			texts = append(texts, amount.Of(len(instances)-i, "more instance", "more instances"))
			break
		}
		text := fmt.Sprintf("pid %d", instance.PID)
		if instance.Executable != "" && (i == 0 || instance.Executable != instances[i-1].Executable) {
			text = instance.Executable + ", " + text
		}
		switch {
		case instance.Gone:
			text += " (ended)"
		case instance.Processes > 1:
			text += fmt.Sprintf(" and %d more", instance.Processes-1)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

func ports(numbers []uint16) string {
	switch len(numbers) {
	case 0:
		return "no port known"
	case 1:
		return fmt.Sprintf("port %d", numbers[0])
	}
	return "ports " + strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

// gap tells which connections are not measured, and why.
func gap(g status.Gap) string {
	reasons := strings.Join(g.Reasons, "; ")
	if g.Connections == 0 {
		return reasons
	}
	connections := amount.Of(g.Connections, "connection", "connections")
	if g.Role == "client" {
		connections += " to others"
	}
	return connections + " – " + reasons
}

// collectors lists those in use.
func collectors(all []status.Collector) string {
	var on []string
	for _, c := range all {
		if c.On {
			on = append(on, c.Name)
		}
	}
	if len(on) == 0 {
		return "none"
	}
	return strings.Join(on, ", ")
}

// lost are the losses that did occur.
func lost(all []status.Loss) []status.Loss {
	var occurred []status.Loss
	for _, loss := range all {
		if loss.Count > 0 {
			occurred = append(occurred, loss)
		}
	}
	return occurred
}

func lossOf(loss status.Loss) string {
	one, many := "request not observed", "requests not observed"
	switch loss.Of {
	case "event":
		one, many = "process event not followed", "process events not followed"
	case "span":
		one, many = "span not made", "spans not made"
	}
	if loss.Count == 1 {
		return one
	}
	return many
}
