package main

import (
	"context"
	_ "embed"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

//go:embed record.sql
var record string

// ledger writes what a tenant's resource adds to the ledger, once per generation.
type ledger struct {
	pool      *pgxpool.Pool
	clusterID string
	recorded  sync.Map // generation by uid
}

func openLedger(ctx context.Context, reader client.Reader) (*ledger, error) {
	system := lean("v1", "Namespace")
	if err := reader.Get(ctx, types.NamespacedName{Name: "kube-system"}, system); err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	return &ledger{pool: pool, clusterID: string(system.GetUID())}, nil
}

func (l *ledger) record(ctx context.Context, tenant *unstructured.Unstructured, s spec) error {
	uid, generation := tenant.GetUID(), tenant.GetGeneration()
	if known, ok := l.recorded.Load(uid); ok && known == generation {
		return nil
	}
	var deletedAt *time.Time
	if deletion := tenant.GetDeletionTimestamp(); deletion != nil {
		deletedAt = &deletion.Time
	}
	_, err := l.pool.Exec(ctx, record, l.clusterID, string(uid), tenant.GetName(), tenant.GetLabels()["pieced.ch/org-id"],
		tenant.GetCreationTimestamp().Time, generation, s.suspended, s.packages, deletedAt)
	if err == nil {
		l.recorded.Store(uid, generation)
	}
	return err
}

// spec is what a tenant asks for.
type spec struct {
	suspended bool
	packages  []string
}

func specOf(tenant *unstructured.Unstructured) spec {
	suspended, _, _ := unstructured.NestedBool(tenant.Object, "spec", "suspend")
	packages, _, _ := unstructured.NestedStringSlice(tenant.Object, "spec", "packages")
	sort.Strings(packages)
	return spec{suspended, packages}
}

func (s spec) with(packages string) spec {
	return spec{s.suspended, strings.Split(packages, ",")}
}

func (s spec) shape() string {
	if s.suspended {
		return "suspended/" + strings.Join(s.packages, ",")
	}
	return "running/" + strings.Join(s.packages, ",")
}

func (s spec) phase(ready bool) string {
	switch {
	case s.suspended:
		return "Suspended"
	case ready:
		return "Ready"
	}
	return "Pending"
}
