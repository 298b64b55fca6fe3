package kpi

import (
	"cmp"
	"slices"
)

// SplitTexts are the texts that a field of Split can have, in the order of the operator:
// of a funnel the steps as they follow each other. Those that the KPI's filters leave out
// are left out. Nil for another field.
func (k *KPI) SplitTexts(field string) (out []string) {
	if !slices.Contains(k.Split, field) {
		return nil
	}
	var lists [][]string
	for _, m := range k.Facts() {
		texts := k.From.FactText(k.From.kinds().of(m.Where), field)
		if asked := m.Where.Texts(field); asked != nil {
			texts = slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return !slices.Contains(asked, text) })
		}
		lists = append(lists, texts)
	}
	// One kind of facts may lack what another has, as its first step: it adds nothing then.
	slices.SortStableFunc(lists, func(a, b []string) int { return cmp.Compare(len(b), len(a)) })
	for _, text := range slices.Concat(lists...) {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
