// Package qingfu holds the contract of the HTTP API of 青服, the service
// directory of Qinghai. The same bytes are served to clients and enforced on
// every request.
package qingfu

import _ "embed"

// OpenAPI is the contract, an OpenAPI 3.0.3 document in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
