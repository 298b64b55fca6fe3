package client

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/internal/spelling"
)

// A Selection says which series of which KPIs are asked for.
type Selection struct {
	KPIs    []string // up to 20
	Window  string   // "" for the KPI's default
	By      []string // fields; none for the total
	Filters []Filter
	Compare []string // previous, yesterday, last_week
	Top     int      // so many series, the largest; 0 for all
}

// A Filter chooses series by the value of a field.
type Filter struct {
	Field   string
	Values  []string // one of these
	Pattern string   // or what a regular expression (RE2) matches as a whole; "" for none
}

// path is that of the KPIs.
func (s *Selection) path() string { return "/api/v1/kpis/" + strings.Join(s.KPIs, ",") }

// values are the parameters.
func (s *Selection) values() url.Values {
	v := url.Values{}
	set := func(name string, list []string) {
		if len(list) > 0 {
			v.Set(name, strings.Join(list, ","))
		}
	}
	if s.Window != "" {
		v.Set("window", s.Window)
	}
	set("by", s.By)
	set("compare", s.Compare)
	if s.Top > 0 {
		v.Set("top", strconv.Itoa(s.Top))
	}
	for _, f := range s.Filters {
		if f.Pattern != "" {
			v.Add(f.Field, "~"+f.Pattern)
			continue
		}
		escaped := make([]string, len(f.Values))
		for i, value := range f.Values {
			escaped[i] = spelling.Literal(value)
		}
		set(f.Field, escaped)
	}
	return v
}

// names reports whether a filter is by a field that is called so.
func (s *Selection) names(field string) bool {
	for _, f := range s.Filters {
		if f.Field == field {
			return true
		}
	}
	return false
}
