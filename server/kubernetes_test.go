package main

import (
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// manifest is as much of the manifests in docs/kubernetes.md as is compared with the program.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Selector map[string]any
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     struct {
				SecurityContext struct {
					RunAsUser int `yaml:"runAsUser"`
				} `yaml:"securityContext"`
				Containers []struct {
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					Env            []struct{ Name, Value string }
					StartupProbe   probe `yaml:"startupProbe"`
					ReadinessProbe probe `yaml:"readinessProbe"`
					LivenessProbe  probe `yaml:"livenessProbe"`
					VolumeMounts   []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct{ Name string }
			}
		}
		Ports []struct {
			Name       string
			TargetPort string `yaml:"targetPort"`
		}
		Rules []struct {
			HTTP struct {
				Paths []struct {
					Path    string
					Backend struct {
						Service struct {
							Name string
							Port struct{ Name string }
						}
					}
				}
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// manifests reads all blocks of YAML, each a stream of documents.
func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	all := map[string]manifest{}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(document(t, "docs/kubernetes.md"), -1) {
		d := yaml.NewDecoder(strings.NewReader(block[1]))
		for {
			var m manifest
			err := d.Decode(&m)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			all[m.Kind] = m
		}
	}
	return all
}

func TestKubernetesManifestsFitTheProgram(t *testing.T) {
	all := manifests(t)
	if want := []string{"Deployment", "Ingress", "PodDisruptionBudget", "Service"}; !slices.Equal(slices.Sorted(maps.Keys(all)), want) {
		t.Fatalf("the manifests are of %v, not %v", slices.Sorted(maps.Keys(all)), want)
	}
	pod := all["Deployment"].Spec.Template
	server := pod.Spec.Containers[0]
	paths := regexp.MustCompile(`(?m)^  (/[^:\s]*):$`).FindAllStringSubmatch(document(t, "openapi.yaml"), -1)
	answered := func(path string) bool {
		return slices.ContainsFunc(paths, func(p []string) bool { return p[1] == path || strings.HasPrefix(p[1], path+"/") })
	}

	var names []string
	for _, e := range server.Env {
		if e.Name != "AWS_SHARED_CREDENTIALS_FILE" { // the AWS library reads it
			names = append(names, e.Name)
		}
		secret, ok := strings.CutPrefix(e.Value, "/run/secrets/qingfu/")
		if ok && !strings.Contains(document(t, "docs/kubernetes.md"), "--from-file=deploy/secrets/"+secret) {
			t.Errorf("%s is the file %s, which the secret does not get", e.Name, secret)
		}
	}
	checkSettings(t, "docs/kubernetes.md", names)

	port := server.Ports[0]
	for name, p := range map[string]probe{"startupProbe": server.StartupProbe, "readinessProbe": server.ReadinessProbe, "livenessProbe": server.LivenessProbe} {
		if !answered(p.HTTPGet.Path) || p.HTTPGet.Port != port.Name {
			t.Errorf("%s asks %s at the port %s", name, p.HTTPGet.Path, p.HTTPGet.Port)
		}
	}
	if metrics := pod.Metadata.Annotations["prometheus.io/path"]; !answered(metrics) {
		t.Errorf("no server has metrics at %q", metrics)
	}
	if docker := document(t, "Dockerfile"); port.ContainerPort != 8080 || !strings.Contains(docker, "\nEXPOSE 8080\n") ||
		pod.Spec.SecurityContext.RunAsUser != 65532 || !strings.Contains(docker, "\nUSER 65532:65532\n") {
		t.Error("port or user are not those of the image")
	}
	for _, mount := range server.VolumeMounts {
		if !slices.ContainsFunc(pod.Spec.Volumes, func(v struct{ Name string }) bool { return v.Name == mount.Name }) {
			t.Errorf("the volume %s is not declared", mount.Name)
		}
	}

	labels := pod.Metadata.Labels
	for _, kind := range []string{"Deployment", "PodDisruptionBudget", "Service"} {
		selector := all[kind].Spec.Selector
		if inner, ok := selector["matchLabels"].(map[string]any); ok {
			selector = inner
		}
		if len(selector) == 0 {
			t.Errorf("%s selects nothing", kind)
		}
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("%s selects %s=%v, the pods have %v", kind, key, value, labels)
			}
		}
	}
	service := all["Service"]
	if service.Spec.Ports[0].TargetPort != port.Name {
		t.Errorf("the service sends to %s", service.Spec.Ports[0].TargetPort)
	}

	// The ingress lets everything through that users need, and nothing else.
	inside := []string{"/metrics", "/livez", "/readyz"}
	var open []string
	for _, p := range all["Ingress"].Spec.Rules[0].HTTP.Paths {
		open = append(open, p.Path)
		if !answered(p.Path) || slices.Contains(inside, p.Path) {
			t.Errorf("the ingress has the path %s", p.Path)
		}
		if p.Backend.Service.Name != service.Metadata.Name || p.Backend.Service.Port.Name != service.Spec.Ports[0].Name {
			t.Errorf("%s goes to %v", p.Path, p.Backend)
		}
	}
	for _, p := range paths {
		if !slices.Contains(inside, p[1]) && !slices.ContainsFunc(open, func(o string) bool { return p[1] == o || strings.HasPrefix(p[1], o+"/") }) {
			t.Errorf("the ingress does not let %s through", p[1])
		}
	}
}
