//go:build race

package main

// racing says that the race detector is built in, with which servers start slowly.
const racing = true
