package config

import "maps"

// beylaKeys are the keys of Beyla 1.0 to 3 that Sonde does not have, by their
// path in the file. A key without advice is a section, whose keys are below;
// section.* is true of those that are not named.
func beylaKeys() map[string]beylaKey {
	all := beylaProgram()
	maps.Copy(all, beylaDiscovery())
	maps.Copy(all, beylaExports())
	return all
}

// beylaProgram are keys about the program as a whole and its data.
func beylaProgram() map[string]beylaKey {
	none := func(advice string) beylaKey { return beylaKey{advice: advice} }
	harmless := func(advice string) beylaKey { return beylaKey{advice: advice, isHarmless: true} }
	return map[string]beylaKey{
		"log_level":          harmless("use --log.level"),
		"log_format":         harmless("use --log.format"),
		"log_config":         harmless("--config.check prints the configuration"),
		"channel_buffer_len": harmless("there is no such buffer; see queue_size of otel_traces_export"),
		"shutdown_timeout":   harmless("the time to stop is fixed"),
		"enforce_sys_caps":   harmless("what the kernel or missing rights do not allow is switched off and said in the log"),
		"profile_port":       harmless("there is no profiling port"),
		"noop":               harmless("remove it"),
		"internal_metrics":   harmless("Sonde's own metrics begin with sonde_ and are at the same place as all others"),
		"health_check":       harmless("use /-/healthy of --web.listen-address"),
		"nodejs":             harmless("Sonde changes nothing within a process"),
		"print_traces":       {advice: "there is no printer; send the spans to a collector with a debug exporter", isHarmless: true, same: []string{"false"}},
		"trace_printer":      {advice: "there is no printer; send the spans to a collector with a debug exporter", isHarmless: true, same: []string{"disabled"}},

		"ebpf":                     {},
		"ebpf.*":                   harmless("Sonde finds out itself what the kernel can do"),
		"ebpf.payload_extraction":  none("there is no such protocol in Sonde; remove it"),
		"ebpf.log_enricher":        none("Sonde does not change what a service writes; remove it"),
		"ebpf.instrument_gpu":      {advice: "Sonde does not look into graphics cards; remove it", same: []string{"false"}},
		"ebpf.context_propagation": {advice: "Sonde writes nothing into requests; let the services pass traceparent on, and remove it", same: []string{"disabled"}},
		"ebpf.enable_context_propagation": {advice: "Sonde writes nothing into requests; let the services pass traceparent on, and remove it",
			same: []string{"false"}},

		"network":                      {},
		"network.enable":               {advice: "there are no metrics of network flows; remove it", same: []string{"false"}},
		"network.*":                    harmless("there are no metrics of network flows"),
		"stats":                        none("there are no such statistics; remove it"),
		"processes":                    harmless("there are no metrics of processes; use process-exporter"),
		"name_resolver":                none("addresses are not resolved to names; remove it"),
		"topology":                     none("there are no spans between clusters; remove it"),
		"injector":                     none("Sonde puts nothing into processes; remove it"),
		"filter":                       none("use routes.ignored_patterns, or drop series with metric_relabel_configs of Prometheus"),
		"attributes":                   {},
		"attributes.*":                 none("the attributes are fixed; use resource to add some, and metric_relabel_configs of Prometheus to drop some"),
		"attributes.kubernetes":        {},
		"attributes.kubernetes.enable": {advice: "Sonde asks no Kubernetes server; for traces use the k8sattributes processor of a collector, for metrics join with sonde_service_info", same: []string{"false", "autodetect"}},
		"attributes.kubernetes.*":      harmless("Sonde asks no Kubernetes server"),
	}
}

// beylaDiscovery are keys about services and routes.
func beylaDiscovery() map[string]beylaKey {
	const kubernetes = "there are no Kubernetes selectors; select by executable or port"
	const selector = "there is no such selector; select by executable or port"
	all := map[string]beylaKey{
		"system_wide":                                               {advice: "leave out all rules, so that every process that listens is measured", same: []string{"false"}},
		"discovery.system_wide":                                     {advice: "leave out all rules, so that every process that listens is measured", same: []string{"false"}},
		"discovery.survey":                                          {advice: "there is no survey; without rules every process that listens is measured"},
		"discovery.default_exclude_services":                        {advice: "nothing is left out by default; use discovery.exclude"},
		"discovery.default_exclude_instrument":                      {advice: "nothing is left out by default; use discovery.exclude"},
		"discovery.default_otlp_grpc_port":                          {advice: "no port is treated in another way", isHarmless: true},
		"discovery.exclude_otel_instrumented_services":              {advice: "services are measured whether or not they export by themselves; use discovery.exclude", same: []string{"false"}},
		"discovery.exclude_otel_instrumented_services_span_metrics": {advice: "there are no span metrics", isHarmless: true},
		"discovery.skip_go_specific_tracers":                        {advice: "Sonde has one tap for all languages", isHarmless: true},
		"discovery.bpf_pid_filter_off":                              {advice: "Sonde has no such filter", isHarmless: true},
		"discovery.poll_interval":                                   {advice: "Sonde is told by the kernel and does not poll", isHarmless: true},
		"discovery.min_process_age":                                 {advice: "services are measured from their first request on", isHarmless: true},
		"discovery.route_harvester_timeout":                         {advice: "routes are found in requests only", isHarmless: true},
		"discovery.disabled_route_harvesters":                       {advice: "routes are found in requests only", isHarmless: true},

		"routes.ignore_mode":                  {advice: "what is ignored is neither measured nor traced", same: []string{"all"}},
		"routes.wildcard_char":                {advice: "the heuristic always writes *", same: []string{"*"}},
		"routes.max_path_segment_cardinality": {advice: "use series.limit_per_service", isHarmless: true},
	}
	for _, list := range []string{
		"discovery.services.", "discovery.exclude.", "discovery.exclude_services.",
		"discovery.instrument.", "discovery.exclude_instrument.",
	} {
		for _, name := range []string{
			"k8s_namespace", "k8s_pod_name", "k8s_deployment_name", "k8s_replicaset_name", "k8s_statefulset_name",
			"k8s_daemonset_name", "k8s_job_name", "k8s_cronjob_name", "k8s_container_name", "k8s_owner_name",
			"k8s_pod_labels", "k8s_pod_annotations",
		} {
			all[list+name] = beylaKey{advice: kubernetes}
		}
		all[list+"containers_only"] = beylaKey{advice: selector, same: []string{"false"}}
		for _, name := range []string{"languages", "cmd_args", "target_pids"} {
			all[list+name] = beylaKey{advice: selector}
		}
		for _, name := range []string{"exports", "sampler", "routes", "metrics"} {
			all[list+name] = beylaKey{advice: "what is exported is the same for all services; remove it"}
		}
	}
	return all
}

// beylaExports are keys about what is exported, and where.
func beylaExports() map[string]beylaKey {
	all := map[string]beylaKey{
		"prometheus_export.extra_resource_attributes":      {advice: "use resource to add attributes"},
		"prometheus_export.extra_span_resource_attributes": {advice: "there are no span metrics", isHarmless: true},
		"prometheus_export.service_cache_size":             {advice: "use series.limit", isHarmless: true},
		"prometheus_export.disable_build_info":             {advice: "use metric_relabel_configs of Prometheus to drop sonde_build_info", isHarmless: true},

		"otel_traces_export.backoff_initial_interval":        {advice: "the time between attempts is fixed", isHarmless: true},
		"otel_traces_export.backoff_max_interval":            {advice: "the time between attempts is fixed", isHarmless: true},
		"otel_traces_export.backoff_max_elapsed_time":        {advice: "the time between attempts is fixed", isHarmless: true},
		"otel_traces_export.extra_resource_attributes":       {advice: "use resource to add attributes"},
		"otel_metrics_export.extra_resource_attributes":      {advice: "use resource to add attributes"},
		"otel_metrics_export.extra_span_resource_attributes": {advice: "there are no span metrics", isHarmless: true},
		"otel_metrics_export.drop_unresolved_ips":            {advice: "addresses are not resolved to names", isHarmless: true},
	}
	for _, section := range []string{"prometheus_export.", "otel_metrics_export.", "otel_traces_export."} {
		all[section+"instrumentations"] = beylaKey{advice: "every protocol that Sonde knows is measured; remove it", same: []string{"*"}}
		all[section+"reporters_cache_len"] = beylaKey{advice: "use series.limit", isHarmless: true}
		all[section+"otel_sdk_log_level"] = beylaKey{advice: "use --log.level", isHarmless: true}
	}
	for _, section := range []string{"prometheus_export.", "otel_metrics_export."} {
		all[section+"features"] = beylaKey{
			advice: "there is only what Beyla calls application; for the others use the spanmetrics and servicegraph connectors of a collector",
			same:   []string{"application"},
		}
		all[section+"buckets"] = beylaKey{advice: "use histogram.buckets"}
		all[section+"ttl"] = beylaKey{advice: "use series.retention", same: []string{"5m"}, isHarmless: true}
		all[section+"allow_service_graph_self_references"] = beylaKey{advice: "there is no service graph", isHarmless: true}
	}
	return all
}
