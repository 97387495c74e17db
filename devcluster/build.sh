#!/bin/sh
# Builds the devcluster binary: build.sh OUTPUT. GOMODCACHE, GOCACHE and GOFLAGS are taken from the environment.
set -eu

KUBERNETES=v1.36.3

if [ $# -ne 1 ]; then
    echo "usage: build.sh OUTPUT" >&2
    exit 2
fi
if ! command -v go >/dev/null 2>&1; then
    echo "build.sh: Go 1.26 or newer is needed to build the devcluster; install it and put it on PATH." >&2
    exit 1
fi
case $1 in
/*) output=$1 ;;
*) output=$PWD/$1 ;;
esac
cd "$(dirname "$0")"

major=${KUBERNETES#v}
major=${major%%.*}
minor=${KUBERNETES#v"$major".}
minor=${minor%%.*}
stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamp="$stamp -X $package.gitVersion=$KUBERNETES -X $package.gitMajor=$major -X $package.gitMinor=$minor"
done

echo "devcluster: downloading Go modules"
go mod download
echo "devcluster: compiling Kubernetes $KUBERNETES and etcd (some minutes the first time)"
# Without the state of the version control: equal sources make equal binaries, and git need not trust the folder.
go build -trimpath -buildvcs=false -ldflags "-s -w$stamp" -o "$output" .
echo "devcluster: built $output"
