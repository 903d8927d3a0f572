package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
	"sonde_exporter/probe"
)

func lostObservations() metric.Family {
	return metric.Counter("sonde_lost_observations_total", "Requests that could not be observed, by reason.",
		reasonOf(probe.LostObservation))
}

func lostEvents() metric.Family {
	return metric.Counter("sonde_lost_events_total", "Listeners and processes that could not be followed, by reason.",
		reasonOf(probe.LostEvent))
}

func unsolicited() metric.Family {
	return metric.Counter("sonde_unsolicited_responses_total",
		"Responses that answered no request, such as a 408 on an idle connection.")
}

func reasonOf(lost probe.Lost) metric.Label {
	label := metric.Label{Name: "reason", Meaning: "Why. Each is there from the start."}
	for _, loss := range probe.AllLosses() {
		if loss.Of == lost {
			label.Values = append(label.Values, metric.Value{Text: loss.Reason, Meaning: loss.Meaning})
		}
	}
	return label
}

func updateLoss(s *scrape, ch chan<- prometheus.Metric) error {
	losses, err := s.Probe.Losses()
	if err != nil {
		return err
	}
	// Lost spans are told by those who export spans.
	send := map[probe.Lost]func(float64, ...string){
		probe.LostObservation: lostObservations().Sender(ch), probe.LostEvent: lostEvents().Sender(ch),
		probe.LostSpan: func(float64, ...string) {},
	}
	for _, loss := range losses {
		send[loss.Of](float64(loss.Count), loss.Reason)
	}
	count, err := s.Probe.Unsolicited()
	if err != nil {
		return err
	}
	unsolicited().Sender(ch)(float64(count))
	return nil
}
