package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// maxListed is how many series an answer can be limited to.
const maxListed = 10_000

// Orders of series.
const (
	byLabels    = "labels"
	byValue     = "value"
	byValueDown = "-value"
)

// An ordering says in which order series stand, and how many of them.
type ordering struct {
	order string // "" as they come
	limit int    // 0 for all
	pages bool   // the next ones can be asked for
	after []string
}

// readOrder reads top, order, limit and cursor.
func (s *selection) readOrder() (o ordering, err error) {
	text := map[string]string{}
	for _, name := range orderParameters {
		if text[name], err = s.one(name); err != nil {
			return o, err
		}
	}
	o.order = text["order"]
	if orders := []string{byLabels, byValue, byValueDown}; o.order != "" && !slices.Contains(orders, o.order) {
		return o, BadData("order %q is none: use %s", o.order, strings.Join(orders, ", "))
	}
	if top := text["top"]; top != "" {
		if o.order != "" || text["limit"] != "" || text["cursor"] != "" {
			return o, BadData("top does not go with order, limit and cursor: it is order=-value and a limit")
		}
		o.order = byValueDown
		o.limit, err = howMany("top", top)
		return o, err
	}
	if text["limit"] != "" {
		if o.limit, err = howMany("limit", text["limit"]); err != nil {
			return o, err
		}
		o.pages = o.order == "" || o.order == byLabels
	}
	if text["cursor"] == "" {
		return o, nil
	}
	if !o.pages {
		return o, BadData("cursor goes on with a list in the order of labels that has a limit: give limit, and no other order")
	}
	raw, err := base64.RawURLEncoding.DecodeString(text["cursor"])
	if err != nil || json.Unmarshal(raw, &o.after) != nil || len(o.after) != len(s.by) {
		return o, BadData("cursor %q is not one of this list: give that which an answer to the same question had as next", text["cursor"])
	}
	return o, nil
}

// orderParameters are those of readOrder.
var orderParameters = []string{"top", "order", "limit", "cursor"}

func howMany(name, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxListed {
		return 0, BadData("%s %q is no whole number from 1 to %d: give one", name, text, maxListed)
	}
	return n, nil
}

// place puts a list in order and cuts it. next is the cursor of what follows, "" at the
// end.
func place[T any](o ordering, list []T, labels func(*T) []string, value func(*T) (float64, bool)) (out []T, next string) {
	byName := func(a, b T) int { return slices.Compare(labels(&a), labels(&b)) }
	switch {
	case o.order == byLabels, o.pages:
		list = slices.Clone(list)
		slices.SortStableFunc(list, byName)
	case o.order != "":
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b T) int {
			x, known := value(&a)
			y, other := value(&b)
			switch {
			case !known || !other: // what has no value stands last
				return cmp.Or(boolean(other)-boolean(known), byName(a, b))
			case o.order == byValueDown:
				x, y = y, x
			}
			return cmp.Or(cmp.Compare(x, y), byName(a, b))
		})
	}
	if o.after != nil {
		from, found := slices.BinarySearchFunc(list, o.after, func(t T, after []string) int { return slices.Compare(labels(&t), after) })
		if found {
			from++
		}
		list = list[from:]
	}
	if o.limit == 0 || len(list) <= o.limit {
		return list, ""
	}
	list = list[:o.limit]
	if !o.pages {
		return list, ""
	}
	text, err := json.Marshal(labels(&list[o.limit-1]))
	if err != nil {
		panic(err) // texts
	}
	return list, base64.RawURLEncoding.EncodeToString(text)
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// samples puts those of an answer in order.
func (o ordering) samples(a *sample.Answer) (next string) {
	a.Samples, next = place(o, a.Samples, func(s *sample.Sample) []string { return s.Labels },
		func(s *sample.Sample) (float64, bool) { return s.Part(a.KPI, kpi.ValuePart) })
	return next
}

// series puts those of a range in order: by value is by that of the newest point that has
// one.
func (o ordering) series(a *RangeAnswer) (next string) {
	a.Series, next = place(o, a.Series, func(s *sample.Series) []string { return s.Labels }, func(s *sample.Series) (float64, bool) {
		for i := range slices.Backward(s.Points) {
			if v, ok := s.Points[i].Part(a.KPI, kpi.ValuePart); ok {
				return v, true
			}
		}
		return 0, false
	})
	return next
}
