package openapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const petShop = `{"openapi": "3.1.1", "info": {"title": "pets", "version": "1"}, "paths": {
	"/pets": {
		"get": {
			"parameters": [
				{"$ref": "#/components/parameters/limit"},
				{"name": "kinds", "in": "query", "explode": false, "schema": {"type": "array", "items": {"enum": ["cat", "dog"]}}}
			],
			"responses": {
				"200": {
					"headers": {"ETag": {"required": true, "schema": {"type": "string", "pattern": "^W/"}}},
					"content": {
						"application/json": {"schema": {"$ref": "#/components/schemas/pet"}},
						"text/csv": {"schema": {"type": "string", "minLength": 1}},
						"application/x-ndjson": {"schema": {"type": "string"}, "x-itemSchema": {"$ref": "#/components/schemas/pet"}},
						"text/event-stream": {"schema": {"type": "string"}, "x-itemSchema": {
							"required": ["event", "data"], "properties": {"event": {"const": "pet"}, "data": {
								"contentMediaType": "application/json", "contentSchema": {"$ref": "#/components/schemas/pet"}}}, "additionalProperties": false
						}}
					}
				},
				"304": {"description": "as it was"},
				"405": {"content": {"application/json": {"schema": {"const": "no"}}}}
			}
		}
	},
	"/pets/{id}": {
		"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"pattern": "^[a-z/]+$"}}],
		"delete": {"responses": {"304": {"description": "none of ours"}}},
		"get": {"parameters": [{"name": "any", "in": "query", "schema": {"type": "object"}}], "responses": {"304": {"description": "as it was"}}}
	},
	"/pets/all": {"get": {"parameters": [{"name": "really", "in": "query", "required": true, "schema": {"type": "string"}}], "responses": {"304": {"description": "as they were"}}}}
}, "components": {
	"parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}},
	"schemas": {"pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}, "additionalProperties": false}}
}}`

// TestCheck: what is as described, and what is not.
func TestCheck(t *testing.T) {
	d, err := Parse([]byte(petShop))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.Operations(), []string{"DELETE /pets/{id}", "GET /pets", "GET /pets/all", "GET /pets/{id}"}; !slices.Equal(got, want) {
		t.Errorf("operations %q, want %q", got, want)
	}
	for _, c := range []struct {
		name, method, target, media, body string
		status                            int
		of, want                          string // the operation; is in the error
	}{
		{"as described", "GET", "/pets?limit=9&kinds=cat,dog", "application/json; charset=utf-8", `{"name":"x"}`, 200, "GET /pets", ""},
		{"key missing", "GET", "/pets", "application/json", `{}`, 200, "GET /pets", "missing property 'name'"},
		{"key too many", "GET", "/pets", "application/json", `{"name":"x","age":1}`, 200, "GET /pets", "'age' not allowed"},
		{"no JSON", "GET", "/pets", "application/json", `{`, 200, "GET /pets", "read body"},
		{"status", "GET", "/pets", "application/json", `{}`, 404, "GET /pets", "status 404 is not described"},
		{"media type", "GET", "/pets", "text/html", "x", 200, "GET /pets", "text/html is not described of status 200"},
		{"no media type", "GET", "/pets", "", "x", 200, "GET /pets", "read Content-Type of status 200"},
		{"text", "GET", "/pets", "text/csv", "x", 200, "GET /pets", ""},
		{"short text", "GET", "/pets", "text/csv", "", 200, "GET /pets", "minLength"},
		{"lines", "GET", "/pets", "application/x-ndjson", `{"name":"x"}` + "\n" + `{"name":"y"}` + "\n", 200, "GET /pets", ""},
		{"wrong line", "GET", "/pets", "application/x-ndjson", `{"name":"x"}` + "\n" + `{"name":1}` + "\n", 200, "GET /pets", "got number, want string"},
		{"broken line", "GET", "/pets", "application/x-ndjson", `{"name":"x"}` + "\n{", 200, "GET /pets", "read line"},
		{"events", "GET", "/pets", "text/event-stream", "retry: 1\n\n: still here\n\nevent: pet\ndata: {\"name\":\"x\"}\n\n", 200, "GET /pets", ""},
		{"unknown event", "GET", "/pets", "text/event-stream", "event: man\ndata: {\"name\":\"x\"}\n\n", 200, "GET /pets", "'/event'"},
		{"wrong data", "GET", "/pets", "text/event-stream", "event: pet\ndata: {}\n\n", 200, "GET /pets", "missing property 'name'"},
		{"no field", "GET", "/pets", "text/event-stream", "event\n\n", 200, "GET /pets", "is no field"},
		{"body of none", "GET", "/pets", "text/csv", "x", 304, "GET /pets", "status 304 has a body"},
		{"parameter too large", "GET", "/pets?limit=10", "", "", 304, "GET /pets", "parameter limit"},
		{"parameter of another type", "GET", "/pets?limit=x", "", "", 304, "GET /pets", "parameter limit"},
		{"item of a list", "GET", "/pets?kinds=cat,man", "", "", 304, "GET /pets", "parameter kinds"},
		{"unknown parameter", "GET", "/pets?x=1", "", "", 304, "GET /pets", "parameter x is not described"},
		{"free parameter", "GET", "/pets/a%2Fb?x=1", "", "", 304, "GET /pets/{id}", ""},
		{"value in the path", "GET", "/pets/A", "", "", 304, "GET /pets/{id}", "parameter id"},
		{"method of a path", "DELETE", "/pets/a", "", "", 304, "DELETE /pets/{id}", ""},
		{"path without values first", "GET", "/pets/all?really=1", "", "", 304, "GET /pets/all", ""},
		{"parameter missing", "GET", "/pets/all", "", "", 304, "GET /pets/all", "parameter really is required"},
		{"method that is not allowed", "PUT", "/pets", "application/json", `"no"`, 405, "GET /pets", ""},
		{"other method", "PUT", "/pets", "", "", 304, "", "PUT /pets is not described, and answered with 304"},
		{"path", "GET", "/men", "", "", 304, "", "/men is not described"},
	} {
		x := Exchange{c.method, c.target, c.status, http.Header{"Etag": {"W/1"}, "Content-Type": {c.media}}, []byte(c.body)}
		of, err := d.Check(x)
		if of != c.of || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v; want %q, %q", c.name, of, err, c.of, c.want)
		}
	}
	for tag, want := range map[string]string{"": "header ETag is required", "1": "header ETag"} {
		x := Exchange{"GET", "/pets", 200, http.Header{"Content-Type": {"text/csv"}}, []byte("x")}
		if tag != "" {
			x.Header.Set("ETag", tag)
		}
		if _, err := d.Check(x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ETag %q: got %v, want %s", tag, err, want)
		}
	}
}

// TestParse: a schema that is none, or refers to nothing, is told of at once.
func TestParse(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{`"type": "integer"`, `"type": "whole"`, "read schema /components/parameters/limit/schema"},
		{`"schema": {"$ref": "#/components/schemas/pet"}`, `"schema": {"$ref": "#/components/schemas/dog"}`, "read schema /paths/~1pets/get/responses/200/content/application~1json/schema"},
		{`#/components/parameters/limit`, `#/components/parameters/offset`, "/paths/~1pets/get/parameters/0 refers to nothing"},
		{`{"openapi"`, `{openapi`, "read document"},
	} {
		if _, err := Parse([]byte(strings.Replace(petShop, c.from, c.to, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.to, err, c.want)
		}
	}
}
