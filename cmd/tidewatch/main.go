// Command tidewatch turns the event stream of a business into live KPIs and
// alerts.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // business days do not depend on the machine

	"github.com/alecthomas/kong"

	"github.com/tidewatch/tidewatch/internal/demo"
)

// version is set by the build.
var version = ""

type commands struct {
	Serve    ServeCmd    `cmd:"" help:"Run the service."`
	Demo     DemoCmd     `cmd:"" help:"Run the service with a simulated shop and a receiver of alerts."`
	Send     SendCmd     `cmd:"" help:"Send events from files."`
	Generate GenerateCmd `cmd:"" help:"Write invented events."`
	Check    CheckCmd    `cmd:"" help:"Check configuration, KPI, rule, receiver and map files."`
	Test     TestCmd     `cmd:"" help:"Play scenario scripts against the engine."`
	Grafana  GrafanaCmd  `cmd:"" help:"Write Grafana dashboards of the KPIs that a configuration keeps."`
	Alert    AlertCmd    `cmd:"" help:"Try the delivery of alerts."`
	Rules    RulesCmd    `cmd:"" help:"Try rules before they are used."`
	Version  VersionCmd  `cmd:"" help:"Print the version."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process
	parser, err := kong.New(&commands{}, kong.Name("tidewatch"),
		kong.Description("Live KPIs and alerts from the event stream of a business. To see it at work: tidewatch demo."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"default_url": DefaultURL, "version": versionText()},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(demo.Service(demoService)))
	if err != nil {
		panic(err)
	}
	args := os.Args[1:]
	if len(args) == 0 {
		parser.Stdout = os.Stderr
		parser.Exit = func(int) {}
		_, _ = parser.Parse([]string{"--help"})
		return 2
	}
	if args[0] == "help" {
		args = append(args[1:], "--help")
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "tidewatch: %v\nRun \"%s --help\" to see what there is.\n", err, asked(err))
		return 2
	}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "tidewatch:", err)
		return 1
	}
	return 0
}

// asked is the command that a command line got as far as.
func asked(err error) string {
	if bad, ok := errors.AsType[*kong.ParseError](err); ok {
		if command, _, _ := strings.Cut(bad.Context.Command(), " <"); command != "" {
			return "tidewatch " + command
		}
	}
	return "tidewatch"
}

// VersionCmd is `tidewatch version`.
type VersionCmd struct{}

// Run prints the version.
func (VersionCmd) Run() error {
	fmt.Println(versionText())
	return nil
}

func versionText() string {
	v, goVersion := version, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		if v == "" {
			v = info.Main.Version
		}
	}
	return strings.TrimSpace(fmt.Sprintln("tidewatch", v, goVersion))
}
