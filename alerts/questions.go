package alerts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
)

// questions are those that templates ask by query() as of one close, each asked once.
type questions struct {
	view  View
	known map[question]answer
	// patience is for how long annotations may ask in all, 0 without an end. Labels are
	// waited for: receivers know an alert by them.
	patience time.Duration
}

type question struct {
	expr string
	at   int64
}

type answer struct {
	vector promql.Vector
	err    error
}

func (e *Engine) questions(v View) *questions {
	return &questions{view: v, known: map[question]answer{}, patience: e.o.Patience}
}

// ask answers a template, as template.QueryFunc has it. What takes too long is not known: it
// may be asked again.
func (q *questions) ask(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	is := question{expr, at.UnixMilli()}
	if a, ok := q.known[is]; ok {
		return a.vector, a.err
	}
	var a answer
	if ctx.Err() == nil {
		a.vector, _, a.err = q.view.Query(ctx, is.expr, is.at)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the templates of one close ask for longer than %s: ask for less, or record it", q.patience)
	}
	q.known[is] = a
	return a.vector, a.err
}

// wait bounds what annotations ask from here on.
func (q *questions) wait() (context.Context, context.CancelFunc) {
	if q.patience == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), q.patience)
}

// Asks reports whether a template of the rule may call query().
func (r *Rule) Asks() bool {
	for _, texts := range []map[string]string{r.Labels, r.Annotations} {
		for _, text := range texts {
			if strings.Contains(text, "query") {
				return true
			}
		}
	}
	return false
}
