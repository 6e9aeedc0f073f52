// Package directory is the domain of the service directory: the five kinds of
// listing, the regions of Qinghai, opening hours, satisfaction figures and the
// rules that hold between them.
//
// It knows nothing of HTTP, databases or search engines and imports none of
// this module's other packages. Times, randomness and ids are passed in.
package directory
