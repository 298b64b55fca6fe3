package api

import (
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// tag is the ETag of answers of which nothing moves on: it changes with a definition, its
// title, a revision and what is warned of. "" for others.
func (s several) tag(as format, in language, warnings []string) string {
	var h xxh3.Hasher
	_, _ = h.WriteString(formats[as].name)
	if as == asCSV {
		_, _ = h.WriteString(languages[in])
	}
	for _, w := range warnings {
		_, _ = h.WriteString(w + "\x00")
	}
	for _, p := range s {
		if !p.tag(&h) {
			return ""
		}
	}
	return `W/"` + strconv.FormatUint(h.Sum64(), 36) + `"`
}

func (a *sampleJSON) tag(h *xxh3.Hasher) bool {
	hashHead(h, a.KPI, a.Window, a.next)
	hashInt(h, a.Start.Unix(), a.End.Unix())
	hashSamples(h, a.Samples)
	complete := a.Complete
	for _, c := range a.compared {
		if c.answer == nil {
			complete = false
			continue
		}
		hashInt(h, c.answer.End.Unix())
		hashSamples(h, c.answer.Samples)
		complete = complete && c.answer.Complete
	}
	return complete
}

func (a *rangeJSON) tag(h *xxh3.Hasher) bool {
	hashHead(h, a.KPI, a.Window, a.next)
	complete := a.hash(h)
	for _, c := range a.compared {
		complete = c.hash(h) && complete
	}
	return complete
}

// hash reports whether all points are complete.
func (a *RangeAnswer) hash(h *xxh3.Hasher) bool {
	complete := len(a.Series) > 0
	for i := range a.Series {
		for j := range a.Series[i].Points {
			p := &a.Series[i].Points[j]
			hashInt(h, p.End.Unix())
			hashSample(h, &p.Sample)
			complete = complete && p.Complete
		}
	}
	return complete
}

func hashHead(h *xxh3.Hasher, k *kpi.KPI, w kpi.Window, next string) {
	for _, text := range []string{k.ID, k.Title.EN, k.Title.ZH, w.String(), next} {
		_, _ = h.WriteString(text + "\x00")
	}
}

func hashSamples(h *xxh3.Hasher, list []sample.Sample) {
	hashInt(h, int64(len(list)))
	for i := range list {
		hashSample(h, &list[i])
	}
}

func hashSample(h *xxh3.Hasher, s *sample.Sample) {
	for _, text := range s.Labels {
		_, _ = h.WriteString(text + "\x00")
	}
	_, _ = h.WriteString(s.Currency + s.Numerator.String() + "/" + s.Denominator.String() + s.Exactness())
	hashInt(h, int64(s.Revision))
}

func hashInt(h *xxh3.Hasher, list ...int64) {
	var b [8]byte
	for _, n := range list {
		binary.LittleEndian.PutUint64(b[:], uint64(n))
		_, _ = h.Write(b[:])
	}
}

// holds reports whether If-None-Match names the tag.
func holdsTag(r *http.Request, tag string) bool {
	for text := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		text = strings.TrimSpace(text)
		if text == "*" || strings.TrimPrefix(text, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
