package supervisor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"time"
)

// pollPeriod is short because waiting is most of a start; a request costs a fraction of a millisecond.
const pollPeriod = 50 * time.Millisecond

// health asks the components' health URLs.
type health struct {
	client http.Client
}

func newHealth(authority []byte) (*health, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("the serving certificate is damaged")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	return &health{http.Client{Transport: transport, Timeout: 2 * time.Second}}, nil
}

func (h *health) ok(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := h.client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// await polls until the URL answers 200 or the context ends.
func (h *health) await(ctx context.Context, url string) error {
	ticker := time.NewTicker(pollPeriod)
	defer ticker.Stop()
	for !h.ok(ctx, url) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}
