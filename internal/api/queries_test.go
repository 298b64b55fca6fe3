package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// shares is an answer with a sample for each channel, whose numerators are given.
func shares(complete bool, of map[string]int64, order ...string) *sample.Answer {
	a := &sample.Answer{KPI: ratio, Window: hour, By: channel, Start: now.Add(-time.Hour), End: now, AsOf: now, Watermark: now, Complete: complete}
	for _, c := range order {
		s := sample.Sample{Labels: []string{c}, Revision: 1, Numerator: sample.Number{N: sample.Of(of[c]), Scale: 1}, Denominator: sample.Number{N: sample.Of(10), Scale: 1}}
		if of[c] < 0 {
			s.Numerator.N, s.Denominator.N, s.Null = sample.Of(0), sample.Of(0), true
		}
		a.Samples = append(a.Samples, s)
	}
	return a
}

// asked is what is looked at of an answer.
type asked struct {
	Samples []struct {
		Labels map[string]string
		Value  *float64
	}
	Next *string
}

func (a asked) channels() string {
	var out []string
	for _, s := range a.Samples {
		out = append(out, s.Labels["channel"])
	}
	return strings.Join(out, " ")
}

// TestChoices: some of the series, in an order, and so many of them.
func TestChoices(t *testing.T) {
	f := newFake()
	f.answer = shares(true, map[string]int64{"a": 3, "b": 9, "c": 1, "d": -1, "a,b": 5}, "a", "a,b", "b", "c", "d")
	h := New(f.deps(t))
	for _, c := range []struct{ query, want string }{
		{"by=channel", "a a,b b c d"},
		{"channel=b,c", "b c"},
		{"channel=b&channel=c", "b c"},
		{"channel=" + url.QueryEscape(`c,a\,b`), "a,b c"},
		{"channel=~[bc]", "b c"},
		{"channel=" + url.QueryEscape(spelling.Literal(`~a\,b`)+",c"), "c"},
		{"channel=~b", "b"},
		{"channel=~.", "a b c d"},
		{"by=channel&order=value", "c a a,b b d"},
		{"by=channel&order=-value", "b a,b a c d"},
		{"by=channel&top=2", "b a,b"},
		{"by=channel&order=value&limit=3", "c a a,b"},
		{"channel=a,c,d&top=2", "a c"},
	} {
		got := ask(h, "GET", "/api/v1/kpis/share_a?"+c.query, "")
		var a asked
		if err := json.Unmarshal(got.envelope(t).Data, &a); err != nil || a.channels() != c.want || a.Next != nil {
			t.Errorf("%s: got %q %v, want %q", c.query, a.channels(), err, c.want)
		}
	}
	if got := ask(h, "GET", "/api/v1/kpis/share_a?channel=a,z", "").envelope(t); fmt.Sprint(got.Warnings) != `[channel "z": nothing is in what was asked for]` {
		t.Errorf("warnings %q", got.Warnings)
	}
	// Page by page it is the whole list.
	var all []string
	for cursor, n := "", 0; ; n++ {
		got := ask(h, "GET", "/api/v1/kpis/share_a?by=channel&limit=2"+cursor, "")
		var a asked
		if err := json.Unmarshal(got.envelope(t).Data, &a); err != nil || n > 3 {
			t.Fatalf("page %d: %v %s", n, err, got.body)
		}
		all = append(all, a.channels())
		if a.Next == nil {
			break
		}
		cursor = "&cursor=" + *a.Next
	}
	if got := strings.Join(all, " | "); got != "a a,b | b c | d" {
		t.Errorf("pages %s", got)
	}
}

// TestSeveral: several KPIs in one answer.
func TestSeveral(t *testing.T) {
	f := newFake()
	h := New(f.deps(t))
	var got struct {
		KPIs []struct{ KPI, Window string }
	}
	if err := json.Unmarshal(ask(h, "GET", "/api/v1/kpis/share_a,money_b?window=1h", "").envelope(t).Data, &got); err != nil || fmt.Sprint(got.KPIs) != "[{share_a 1h} {money_b 1h}]" {
		t.Errorf("got %v %v", got.KPIs, err)
	}
	if err := json.Unmarshal(ask(h, "GET", "/api/v1/kpis/share_a,money_b/range?window=1h&from=-1d", "").envelope(t).Data, &got); err != nil || fmt.Sprint(got.KPIs) != "[{share_a 1h} {money_b 1h}]" {
		t.Errorf("range: got %v %v", got.KPIs, err)
	}
	if want := now.Add(-24 * time.Hour); !f.ranged.From.Equal(want) {
		t.Errorf("from %s, want %s", f.ranged.From, want)
	}
}

// TestFormats: spreadsheets and programs that read line by line get the same numbers.
func TestFormats(t *testing.T) {
	f := newFake()
	f.answer = shares(true, map[string]int64{"=a": 3, "b": -1}, "=a", "b")
	h := New(f.deps(t))
	const sheet = "\ufeffkpi,title_en,title_zh,window,start,end,as_of,compare,channel,value,numerator,denominator,n,low,high,currency,complete,revision,exactness\n" +
		"share_a,Share,比例,1h,2026-11-22T01:00:00.000Z,2026-11-22T02:00:00.000Z,2026-11-22T02:00:00.000Z,,'=a,0.3,3,10,10,0.10779126740630104,0.6032218525388547,,true,1,exact\n" +
		"share_a,Share,比例,1h,2026-11-22T01:00:00.000Z,2026-11-22T02:00:00.000Z,2026-11-22T02:00:00.000Z,,b,,0,0,0,,,,true,1,exact\n"
	for _, c := range []struct{ query, accept, media, want string }{
		{"", "text/csv", "text/csv; charset=utf-8", sheet},
		{"&format=csv", "", "text/csv; charset=utf-8", sheet},
		{"&format=ndjson", "text/csv", "application/x-ndjson; charset=utf-8",
			`{"kpi":"share_a","definition":"share_a@1","window":"1h","by":["channel"],"labels":{"channel":"=a"},"start":"2026-11-22T01:00:00.000Z","end":"2026-11-22T02:00:00.000Z","as_of":"2026-11-22T02:00:00.000Z","value":0.3,"numerator":3,"denominator":10,"n":10,"low":0.10779126740630104,"high":0.6032218525388547,"complete":true,"revision":1,"exactness":"exact"}` + "\n" +
				`{"kpi":"share_a","definition":"share_a@1","window":"1h","by":["channel"],"labels":{"channel":"b"},"start":"2026-11-22T01:00:00.000Z","end":"2026-11-22T02:00:00.000Z","as_of":"2026-11-22T02:00:00.000Z","value":null,"numerator":0,"denominator":0,"n":0,"complete":true,"revision":1,"exactness":"exact"}` + "\n"},
	} {
		got := ask(h, "GET", "/api/v1/kpis/share_a?window=1h&by=channel"+c.query, "", "Accept", c.accept)
		if string(got.body) != c.want || got.header.Get("Content-Type") != c.media {
			t.Errorf("%s %s: got %s\n%s\nwant %s\n%s", c.query, c.accept, got.header.Get("Content-Type"), got.body, c.media, c.want)
		}
	}
	odd := *ratio
	odd.Title = kpi.Text{EN: "=Share", ZH: "-比例"}
	f.answer.KPI = &odd
	if got := ask(h, "GET", "/api/v1/kpis/share_a?window=1h&by=channel&format=csv", ""); !strings.Contains(string(got.body), "\nshare_a,'=Share,'-比例,1h,") {
		t.Errorf("titles: %s", got.body)
	}
	f.answer.KPI = ratio
	f.answer.Warnings = []string{"谨慎"}
	if got := ask(h, "GET", "/api/v1/kpis/share_a?window=1h&by=channel&format=csv", ""); got.header.Get(warningsHeader) != `["\u8c28\u614e"]` {
		t.Errorf("warnings %q", got.header.Get(warningsHeader))
	}
	f.series = &RangeAnswer{KPI: ratio, Window: hour, By: channel, Series: []sample.Series{{Labels: []string{"b"}, Points: []sample.Point{{End: now, AsOf: now, Complete: true, Sample: f.answer.Samples[0]}}}}}
	f.answer = nil
	got := ask(h, "GET", "/api/v1/kpis/share_a/range?window=1h&by=channel&from=-2h&format=csv", "")
	const line = "share_a,Share,比例,1h,2026-11-22T01:00:00.000Z,2026-11-22T02:00:00.000Z,2026-11-22T02:00:00.000Z,,b,0.3,3,10,10,"
	if lines := strings.Split(string(got.body), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], line) {
		t.Errorf("range: got %s, want %s", got.body, line)
	}
}

// TestColumns: a spreadsheet has Chinese columns for who reads Chinese.
func TestColumns(t *testing.T) {
	f := newFake()
	f.answer = shares(true, map[string]int64{"a": 3}, "a")
	h := New(f.deps(t))
	const english = "\ufeffkpi,title_en,title_zh,window,start,end,as_of,compare,channel,value,"
	const chinese = "\ufeff指标代码,指标（英文）,指标,窗口,开始时间,结束时间,数据截至,对比对象,渠道,数值,分子,分母,样本量,置信下限,置信上限,币种,是否完整,修订次数,精确度\n"
	const path = "/api/v1/kpis/share_a?window=1h&by=channel"
	tags := map[string]bool{}
	for _, c := range []struct{ query, accept, want string }{
		{"&format=csv", "", english},
		{"&format=csv", "en-GB,en;q=0.9", english},
		{"&format=csv", "zh-CN,zh;q=0.9,en;q=0.8", chinese},
		{"&format=csv&lang=zh", "en", chinese},
		{"&format=csv&lang=en", "zh", english},
	} {
		got := ask(h, "GET", path+c.query, "", "Accept-Language", c.accept)
		if !strings.HasPrefix(string(got.body), c.want) || !slices.Contains(got.header.Values("Vary"), "Accept-Language") {
			t.Errorf("%s %s: got %v %s", c.query, c.accept, got.header, got.body)
		}
		tags[got.header.Get("ETag")] = true
	}
	if len(tags) != 2 {
		t.Errorf("tags %v", tags)
	}
	for query, want := range map[string]string{
		"&format=csv&lang=fr":         `lang "fr" is none: use en or zh`,
		"&lang=zh":                    "lang is of the columns of format=csv: leave it out, other formats have both languages",
		"&format=csv&lang=":           "lang is empty: give a value, or leave it out",
		"&format=csv&lang=zh&lang=en": "lang is given 2 times: give it once",
	} {
		if got := ask(h, "GET", path+query, ""); got.code != 400 || got.envelope(t).Error != want {
			t.Errorf("%s: %d %s", query, got.code, got.body)
		}
	}
}

// TestCurrencyColumn: what is kept by currency has one column of that name.
func TestCurrencyColumn(t *testing.T) {
	f := newFake()
	byCurrency := *money
	byCurrency.By = []kpi.Set{{kpi.CurrencyField, "region"}}
	f.kpis = []*kpi.KPI{&byCurrency}
	const path = "/api/v1/kpis/money_b?window=1h&by=currency,region&format=csv"
	f.answer = &sample.Answer{KPI: &byCurrency, Window: hour, By: byCurrency.By[0], Start: now.Add(-time.Hour), End: now, AsOf: now,
		Samples: []sample.Sample{{Labels: []string{"CNY", "east"}, Numerator: sample.Number{N: sample.Of(5), Scale: 1}}}}
	for lang, want := range map[string]string{
		"en": "compare,region,value,numerator,denominator,n,low,high,currency,complete,",
		"zh": "对比对象,地区,数值,分子,分母,样本量,置信下限,置信上限,币种,是否完整,",
	} {
		if got := string(ask(New(f.deps(t)), "GET", path+"&lang="+lang, "").body); !strings.Contains(got, want) || !strings.Contains(got, ",east,5,5,,5,,,CNY,false,") {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestTags: an answer of which nothing moves on need not be sent twice.
func TestTags(t *testing.T) {
	f := newFake()
	f.answer = shares(true, map[string]int64{"a": 3}, "a")
	h := New(f.deps(t))
	const path = "/api/v1/kpis/share_a?window=1h&by=channel"
	first := ask(h, "GET", path, "")
	tag := first.header.Get("ETag")
	if tag == "" || first.header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("header %v", first.header)
	}
	if got := ask(h, "GET", path, "", "If-None-Match", `"other", `+tag); got.code != 304 || len(got.body) > 0 {
		t.Errorf("got %d %s", got.code, got.body)
	}
	if got := ask(h, "GET", path+"&format=csv", "", "If-None-Match", tag); got.code != 200 {
		t.Errorf("another format: got %d", got.code)
	}
	for name, change := range map[string]func(a *sample.Answer){
		"revision": func(a *sample.Answer) { a.Samples[0].Revision++ },
		"value":    func(a *sample.Answer) { a.Samples[0].Numerator.N = sample.Of(4) },
		"window":   func(a *sample.Answer) { a.End = a.End.Add(time.Minute) },
		"warning":  func(a *sample.Answer) { a.Warnings = []string{"x"} },
		"series":   func(a *sample.Answer) { a.Samples = append(a.Samples, a.Samples[0]) },
		"title": func(a *sample.Answer) { // of a spreadsheet
			k := *a.KPI
			k.Title.ZH = "份额"
			a.KPI = &k
		},
		"definition": func(a *sample.Answer) {
			k := *a.KPI
			k.ID = "share_a@2"
			a.KPI = &k
		},
	} {
		f.answer = shares(true, map[string]int64{"a": 3}, "a")
		change(f.answer)
		if got := ask(h, "GET", path, "", "If-None-Match", tag); got.code != 200 || got.header.Get("ETag") == tag {
			t.Errorf("%s: got %d %s", name, got.code, got.header.Get("ETag"))
		}
	}
	f.answer = shares(false, map[string]int64{"a": 3}, "a")
	if got := ask(h, "GET", path, "", "If-None-Match", tag); got.code != 200 || got.header.Get("ETag") != "" {
		t.Errorf("open window: got %d %s", got.code, got.header.Get("ETag"))
	}
}

// TestChange: a number below 0 that grows has grown.
func TestChange(t *testing.T) {
	of := func(n int64) *sample.Sample {
		return &shares(true, map[string]int64{"a": n}, "a").Samples[0]
	}
	in := func(currency string, n int64) *sample.Sample {
		s := of(n)
		s.Currency = currency
		return s
	}
	below := of(2)
	below.Numerator.N = sample.Of(-4)
	for _, tt := range []struct {
		value, before *sample.Sample
		want          string
	}{
		{of(3), of(2), "0.5"},
		{of(1), of(2), "-0.5"},
		{of(2), below, "1.5"},
		{below, of(2), "-3"},
		{of(2), of(0), "null"},
		{of(2), of(-1), "null"},
		{in("CNY", 3), in("CNY", 2), "0.5"},
		{in("", 0), in("CNY", 2), "-1"}, // nothing was paid any more
		{in("CNY", 3), in("JPY", 2), "null"},
		{in("", 3), in("JPY", 2), "null"},
	} {
		c := compared{Comparison: kpi.Comparisons[0], answer: shares(true, nil), samples: map[string]*sample.Sample{seriesKey([]string{"a"}): tt.before}}
		var held map[string]struct{ Change *float64 }
		if err := json.Unmarshal([]byte("{"+string(c.append(nil, ratio, tt.value))+"}"), &held); err != nil {
			t.Fatal(err)
		}
		got := "null"
		if change := held["previous"].Change; change != nil {
			got = fmt.Sprintf("%.3g", *change)
		}
		if got != tt.want {
			t.Errorf("%s/10 before, %s/10: got %s, want %s", tt.before.Numerator, tt.value.Numerator, got, tt.want)
		}
	}
}
