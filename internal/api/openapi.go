package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var descriptionYAML []byte

// description is that of the API, as JSON.
var description = sync.OnceValue(func() []byte {
	var document any
	if err := yaml.Unmarshal(descriptionYAML, &document); err != nil {
		panic(err) // a test reads it
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
})

// describe serves GET /openapi.json, which has no envelope: tools read it as it is.
func (r *router) describe(w http.ResponseWriter, req *http.Request) {
	if err := takes(req); err != nil {
		r.respond(w, req, answer{}, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	r.send(w, req, http.StatusOK, description())
}
