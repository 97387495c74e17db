package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	fieldManager = "pieced-operator"
	finalizer    = "pieced.ch/peer"
	checksum     = "pieced.ch/manifest-checksum"
	allPackages  = "search,telegram"
)

type peer struct {
	client.Client
	ledger *ledger
	shapes map[string]string
	phases sync.Map // by uid
}

// Reconcile records a tenant, makes its children what is wanted and says how far it is.
func (p *peer) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	tenant := newTenant()
	if err := p.Get(ctx, request.NamespacedName, tenant); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if tenant.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, p.end(ctx, tenant)
	}
	before := tenant.DeepCopy()
	if controllerutil.AddFinalizer(tenant, finalizer) {
		if err := p.Patch(ctx, tenant, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, err
		}
	}
	spec := specOf(tenant)
	if err := p.ledger.record(ctx, tenant, spec); err != nil {
		return ctrl.Result{}, err
	}
	wanted, err := p.children(tenant, spec.shape())
	if err != nil {
		return ctrl.Result{}, err
	}
	ready, err := p.converge(ctx, wanted)
	if err == nil {
		err = p.prune(ctx, tenant, spec, wanted)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, p.say(ctx, tenant, spec.phase(ready))
}

// converge applies the children that are not as wanted; reports whether all Deployments are available.
func (p *peer) converge(ctx context.Context, wanted []*unstructured.Unstructured) (bool, error) {
	ready := true
	for _, child := range wanted {
		live, available, err := p.live(ctx, child)
		if err != nil {
			return false, err
		}
		ready = ready && available
		if live != nil && live.GetAnnotations()[checksum] == child.GetAnnotations()[checksum] {
			continue
		}
		applied := client.ApplyConfigurationFromUnstructured(child)
		if err := p.Apply(ctx, applied, client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
			return false, err
		}
	}
	return ready, nil
}

// prune deletes the children of packages that are switched off.
func (p *peer) prune(ctx context.Context, tenant client.Object, spec spec, wanted []*unstructured.Unstructured) error {
	names := map[string]bool{}
	for _, child := range wanted {
		names[child.GetName()] = true
	}
	all, err := p.children(tenant, spec.with(allPackages).shape())
	if err != nil {
		return err
	}
	for _, child := range all {
		if names[child.GetName()] {
			continue
		}
		if live, _, err := p.live(ctx, child); err != nil || live == nil {
			continue
		}
		if err := client.IgnoreNotFound(p.Delete(ctx, child)); err != nil {
			return err
		}
	}
	return nil
}

// live is a child as the cache has it, nil when it is not there, and whether it is available.
func (p *peer) live(ctx context.Context, child *unstructured.Unstructured) (client.Object, bool, error) {
	key := client.ObjectKeyFromObject(child)
	if child.GetKind() == "Deployment" {
		found := &appsv1.Deployment{}
		if err := p.Get(ctx, key, found); err != nil {
			return nil, false, client.IgnoreNotFound(err)
		}
		return found, found.Status.AvailableReplicas >= *found.Spec.Replicas, nil
	}
	found := lean(child.GetAPIVersion(), child.GetKind())
	if err := p.Get(ctx, key, found); err != nil {
		return nil, true, client.IgnoreNotFound(err)
	}
	return found, true, nil
}

// end deletes the namespace, and all in it, records the end and lets the tenant go.
func (p *peer) end(ctx context.Context, tenant *unstructured.Unstructured) error {
	spec := specOf(tenant)
	children, err := p.children(tenant, spec.shape())
	if err != nil {
		return err
	}
	if err := client.IgnoreNotFound(p.Delete(ctx, children[0])); err != nil {
		return err
	}
	if err := p.ledger.record(ctx, tenant, spec); err != nil {
		return err
	}
	p.phases.Delete(tenant.GetUID())
	before := tenant.DeepCopy()
	controllerutil.RemoveFinalizer(tenant, finalizer)
	return client.IgnoreNotFound(p.Patch(ctx, tenant, client.MergeFrom(before)))
}

// say writes the status when it says something new.
func (p *peer) say(ctx context.Context, tenant *unstructured.Unstructured, phase string) error {
	p.phases.Store(tenant.GetUID(), phase)
	status := map[string]any{
		"phase":              phase,
		"observedGeneration": tenant.GetGeneration(),
		"tenantNamespace":    "tenant-" + tenant.GetName(),
	}
	if equality.Semantic.DeepEqual(tenant.Object["status"], status) {
		return nil
	}
	before := tenant.DeepCopy()
	tenant.Object["status"] = status
	return p.Status().Patch(ctx, tenant, client.MergeFrom(before))
}

// settled counts the tenants that are as wanted.
func (p *peer) settled() float64 {
	count := 0.0
	p.phases.Range(func(_, phase any) bool {
		if phase != "Pending" {
			count++
		}
		return true
	})
	return count
}

// children is everything that a tenant of this shape should have, the namespace first.
func (p *peer) children(tenant client.Object, shape string) ([]*unstructured.Unstructured, error) {
	text := strings.NewReplacer("peer-name", tenant.GetName(), "peer-uid", string(tenant.GetUID())).Replace(p.shapes[shape])
	var manifests []map[string]any
	if err := json.Unmarshal([]byte(text), &manifests); err != nil {
		return nil, err
	}
	children := make([]*unstructured.Unstructured, len(manifests))
	for i, manifest := range manifests {
		children[i] = &unstructured.Unstructured{Object: manifest}
	}
	return children, nil
}

// kinds is one lean object of each kind of children but Deployments.
func (p *peer) kinds() []client.Object {
	all, err := p.children(newTenant(), spec{}.with(allPackages).shape())
	if err != nil {
		panic(err) // the shapes are written by a program of ours
	}
	found := map[string]client.Object{"Deployment": nil}
	kinds := []client.Object{}
	for _, child := range all {
		if _, known := found[child.GetKind()]; !known {
			found[child.GetKind()] = lean(child.GetAPIVersion(), child.GetKind())
			kinds = append(kinds, found[child.GetKind()])
		}
	}
	return kinds
}
