package api

import "net/http"

// An operator is one as GET /api/v1/operators shows it.
type operator struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Parameters are as a definition says them, with those by default.
	Parameters map[string]any `json:"parameters"`
	KPIs       []string       `json:"kpis"` // that measure its facts
}

func (q *queries) operators(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	catalogue := q.engine.Catalogue()
	list := make([]operator, len(catalogue.Operators))
	for i, o := range catalogue.Operators {
		list[i] = operator{Name: o.Name, Kind: o.Kind(), Parameters: o.Parameters(), KPIs: []string{}}
		for _, k := range catalogue.Readers(o) {
			list[i].KPIs = append(list[i].KPIs, k.Name)
		}
	}
	return answer{data: list}, nil
}
