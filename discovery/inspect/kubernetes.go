package inspect

import (
	"regexp"
	"strings"
)

// What Kubernetes appends to the name of an owner to name its pods. Random
// suffixes come from rand.SafeEncodeString's alphabet, which has no vowels; the
// hash of a replica set is a number in which each digit became one of ten
// letters of it.
var (
	deploymentSuffix  = regexp.MustCompile(`-[bcdf456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	cronJobSuffix     = regexp.MustCompile(`-\d{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	randomSuffix      = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	statefulSetSuffix = regexp.MustCompile(`-\d{1,4}$`)
)

// workloadOf returns the deployment, cron job, daemon set, job or stateful set
// that a pod belongs to, judged by the pod's name. All its pods are one service.
func workloadOf(pod string) string {
	for _, suffix := range []*regexp.Regexp{deploymentSuffix, cronJobSuffix, randomSuffix, statefulSetSuffix} {
		if at := suffix.FindStringIndex(pod); len(at) > 0 && at[0] > 0 {
			return pod[:at[0]]
		}
	}
	return pod
}

// podNamespace reads the namespace that Kubernetes mounts beside the token of
// the service account. In most images /var/run is a link to /run.
func (p Process) podNamespace() string {
	raw, err := p.files.readInside(p.PID, "/var/run/secrets/kubernetes.io/serviceaccount/namespace", 256)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}
