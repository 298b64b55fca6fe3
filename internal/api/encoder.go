package api

import (
	"encoding/json"
	"net/http"
	"sync"
)

// A writer writes its own JSON: answers of many series do.
type writer interface{ writeJSON(e *encoder) }

// An encoder writes JSON to a client as it is made: what an answer takes does not
// grow with its text.
type encoder struct {
	b  []byte // not written yet
	to *transfer
}

var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, piece+4<<10)) }}

func newEncoder(d *transfer) *encoder {
	return &encoder{b: *buffers.Get().(*[]byte), to: d}
}

// free lets others use the buffer, unless one long text has made it large.
func (e *encoder) free() {
	if b := e.b[:0]; cap(b) <= 2*piece {
		buffers.Put(&b)
	}
}

// more is called between parts of an answer. It reports whether somebody still
// reads.
func (e *encoder) more() bool {
	if len(e.b) >= piece {
		if !e.to.begun {
			e.to.begin(len(e.b), -1)
		}
		e.to.write(e.b)
		e.b = e.b[:0]
	}
	return e.to.err == nil
}

// marshal writes what encoding/json makes of a part that it can write.
func (e *encoder) marshal(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	e.b = append(e.b, text...)
}

func (e *encoder) finish() {
	if !e.to.begun {
		e.to.all(e.b)
		return
	}
	e.to.write(e.b)
	e.to.end()
}

// success writes the envelope around an answer. An error comes before anything
// is written.
func (e *encoder) success(a answer) error {
	if e.to.status = a.status; e.to.status == 0 {
		e.to.status = http.StatusOK
	}
	e.b = append(e.b, `{"status":"success","data":`...)
	if data, ok := a.data.(writer); ok {
		data.writeJSON(e)
	} else {
		text, err := json.Marshal(a.data)
		if err != nil {
			return err
		}
		e.b = append(e.b, text...)
	}
	e.texts(`,"warnings":[`, a.warnings)
	if len(a.infos) > 0 {
		e.texts(`,"infos":[`, a.infos)
	}
	e.b = append(e.b, "}\n"...)
	return nil
}

func (e *encoder) texts(begin string, list []string) {
	e.b = append(e.b, begin...)
	for i, text := range list {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = appendString(e.b, text)
	}
	e.b = append(e.b, ']')
}
