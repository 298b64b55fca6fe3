package signals

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tidewatch/tidewatch/internal/courier"
	"github.com/tidewatch/tidewatch/internal/signature"
)

// post tries once to deliver. The secret is read each time: it may be renewed while
// we run.
func (w *webhook) post(ctx context.Context, b *batch) courier.Attempt {
	var key signature.Key
	if w.SecretFile != "" {
		var err error
		if key, err = signature.ReadKey(w.SecretFile); err != nil {
			return courier.Attempt{Err: fmt.Errorf("read secret_file: %w", err), Refused: true}
		}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	key.Set(header, b.id, time.Now(), b.body)
	return courier.Post(ctx, w.client, w.URL, header, b.body)
}
