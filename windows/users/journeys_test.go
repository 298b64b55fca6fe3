package users

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
)

// TestTextsAreForgotten: combinations of texts go with the rows and items that had them.
func TestTextsAreForgotten(t *testing.T) {
	p := ofCatalogue(t)
	i := slices.IndexFunc(p.followers, func(f *follower) bool { return f.Operator.Name == "sessions" })
	f := p.followers[i]
	const seconds, each = 100, 200
	for second := range int64(seconds) {
		for user := range uint32(each) {
			texts := make([]carry.Text, f.texts.Width())
			for c := range texts {
				text := fmt.Sprint(second, user, c)
				texts[c] = carry.Text{Hash: p.plan.Text(text), Text: text}
			}
			f.book.Add(user, &journey.Row{Time: second * 1000, Texts: f.texts.Number(texts), Numbers: journey.NoNumbers, Kind: journey.Ending})
		}
		f.book.Close(second + 1)
		p.sealJourneys(second - 1)
	}
	if got := f.texts.Numbers(); got > 10*each+1024 {
		t.Errorf("there are %d combinations, of %d that were met one after the other", got, seconds*each)
	}
}
