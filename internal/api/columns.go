package api

import (
	"net/http"
	"slices"

	"github.com/tidewatch/tidewatch/internal/accept"
	"github.com/tidewatch/tidewatch/kpi"
)

// A language is one of those that the columns of a spreadsheet are called in.
type language uint8

// The languages. In English columns have the names of the fields of an answer, by which
// programs know them.
const (
	inEnglish language = iota
	inChinese
)

var languages = []string{inEnglish: "en", inChinese: "zh"}

// languageOf is what a request wants: by the parameter lang, else by its Accept-Language
// header.
func languageOf(r *http.Request, as format) (language, error) {
	s := &selection{values: r.URL.Query(), reserved: []string{"lang"}}
	text, err := s.one("lang")
	if err != nil {
		return inEnglish, err
	}
	if text == "" {
		return language(accept.Language(r.Header.Get("Accept-Language"), languages)), nil
	}
	i := slices.Index(languages, text)
	switch {
	case i < 0:
		return inEnglish, BadData("lang %q is none: use en or zh", text)
	case as != asCSV:
		return inEnglish, BadData("lang is of the columns of format=csv: leave it out, other formats have both languages")
	}
	return language(i), nil
}

// column is what a column is called that is no field of the KPIs.
func (l language) column(name string) string {
	if title, ok := columnTitles[name]; ok && l == inChinese {
		return title
	}
	return name
}

// field is what the column of a field is called.
func (l language) field(name string) string {
	if l == inChinese {
		return kpi.FieldTitle(name).ZH
	}
	return name
}

var columnTitles = map[string]string{
	"kpi": "指标代码", "title_en": "指标（英文）", "title_zh": "指标", "window": "窗口", "start": "开始时间", "end": "结束时间", "as_of": "数据截至", "compare": "对比对象",
	"value": "数值", "numerator": "分子", "denominator": "分母", "n": "样本量", "low": "置信下限", "high": "置信上限",
	"currency": "币种", "complete": "是否完整", "revision": "修订次数", "exactness": "精确度",
}
