package grafana

// stat is a number of the service's own at this moment.
func (m *maker) stat(s spec) *panel {
	p := m.number()
	m.written(p, s, true)
	p.FieldConfig.Defaults.Thresholds = s.bad.thresholds()
	return p
}

// graph are numbers of the service's own over time.
func (m *maker) graph(s spec) *panel {
	p := m.graphed(line)
	zero := 0.0
	p.FieldConfig.Defaults.Min = &zero
	m.written(p, s, false)
	p.FieldConfig.Defaults.scaleShares()
	return p
}

// written adds the queries of a layout.
func (m *maker) written(p *panel, s spec, instant bool) {
	if s.unit != "" {
		p.FieldConfig.Defaults.Unit = s.unit
	}
	for _, q := range s.queries {
		p.ask(q.expr, m.of(q.legend), instant)
	}
}
