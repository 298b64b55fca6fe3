// Package ruletest holds rules to files of unit tests in the format of promtool
// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/): series
// as they are given, and what the rules make of them.
//
// It is alerts.Engine that judges. Every rule is evaluated as Prometheus does, when its turn
// comes, and writes then what it comes to: what min_samples, confidence and no_data go by is
// not in such a file.
package ruletest
