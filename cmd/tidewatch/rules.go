package main

// RulesCmd is `tidewatch rules`.
type RulesCmd struct {
	Test     RuleTestCmd `cmd:"" help:"Hold rules to unit tests in promtool's format."`
	Backtest BacktestCmd `cmd:"" help:"Judge a rule file over a service's past: which alerts there would have been."`
}
