// Package charts draws the figures of the directory, as SVG and as PNG.
package charts
