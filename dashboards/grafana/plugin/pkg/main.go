// The backend of Grafana's data source for Tidewatch. Grafana starts it, and speaks to it
// over gRPC.
package main

import (
	"os"
	_ "time/tzdata" // business days do not depend on the machine

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/plugin"
)

func main() {
	if err := datasource.Manage(plugin.ID, plugin.New, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("serve the data source", "error", err)
		os.Exit(1)
	}
}
