package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/models"
	"github.com/alibabacloud-go/tea/dara"

	"qingfu/directory"
)

// aliyunEndpoint is where Alibaba Cloud's text message service is reached.
const aliyunEndpoint = "dysmsapi.aliyuncs.com"

// AliyunConfig says how to reach Alibaba Cloud's text message service.
// Everything but Endpoint is required.
type AliyunConfig struct {
	AccessKeyID     string
	AccessKeySecret string
	// Endpoint is a host, with a port when it is not 443, or a URL without a
	// path; http is for a loopback address only. It is dysmsapi.aliyuncs.com
	// when empty.
	Endpoint     string
	SignName     string // the approved signature, 【…】 without its brackets
	TemplateCode string // the approved template; its only variable is ${code}
}

// AliyunSender sends messages through Alibaba Cloud.
type AliyunSender struct {
	cfg    AliyunConfig
	client openapi.Client // copied for each call
	http   *http.Client
	params *models.Params
}

var _ Sender = (*AliyunSender)(nil)

// NewAliyunSender makes a sender. Its error names every field that is missing.
func NewAliyunSender(cfg AliyunConfig) (*AliyunSender, error) {
	var missing []string
	for _, f := range []struct{ name, value string }{
		{"AccessKeyID", cfg.AccessKeyID},
		{"AccessKeySecret", cfg.AccessKeySecret},
		{"SignName", cfg.SignName},
		{"TemplateCode", cfg.TemplateCode},
	} {
		if strings.TrimSpace(f.value) == "" {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("aliyun: missing %s", strings.Join(missing, ", "))
	}
	if cfg.Endpoint == "" {
		cfg.Endpoint = aliyunEndpoint
	}
	if !strings.Contains(cfg.Endpoint, "://") {
		cfg.Endpoint = "https://" + cfg.Endpoint
	}
	u, err := smsURL(cfg.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("aliyun: the endpoint %w", err)
	}
	if strings.Trim(u.Path, "/") != "" || strings.Contains(cfg.Endpoint, "?") {
		return nil, errors.New("aliyun: the endpoint has a path or a query")
	}
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "dara") {
		return nil, errors.New("aliyun: DEBUG contains dara, so the SDK would print numbers and codes: unset it")
	}
	s := &AliyunSender{cfg: cfg, http: smsClient()}
	client, err := openapi.NewClient(&models.Config{
		AccessKeyId:     dara.String(cfg.AccessKeyID),
		AccessKeySecret: dara.String(cfg.AccessKeySecret),
		Endpoint:        dara.String(u.Host),
		Protocol:        dara.String(u.Scheme),
		HttpClient:      aliyunHTTP{s.http},
		// Our client knows the proxy. The SDK would look for it too, fail if it is
		// written without a scheme, and send the proxy's password to the provider.
		NoProxy: dara.String(u.Host),
		// RetryOptions stay nil, which means none.
	})
	if err != nil {
		return nil, fmt.Errorf("aliyun: %w", err)
	}
	client.DisableSDKError = dara.Bool(true) // its error type drops the request id
	s.client = *client
	s.params = &models.Params{
		Action:      dara.String("SendSms"),
		Version:     dara.String("2017-05-25"),
		Protocol:    dara.String(u.Scheme),
		Pathname:    dara.String("/"),
		Method:      dara.String("POST"),
		AuthType:    dara.String("AK"),
		Style:       dara.String("RPC"),
		ReqBodyType: dara.String("formData"),
		BodyType:    dara.String("json"),
	}
	return s, nil
}

// Send implements Sender. ValidFor is not sent: the template says it.
func (s *AliyunSender) Send(ctx context.Context, m Message) error {
	param, err := json.Marshal(map[string]string{"code": m.Code})
	if err != nil {
		return fmt.Errorf("aliyun: %w", err)
	}
	client := s.client // a call writes to its client, so calls may not share one
	result, err := client.CallApiWithCtx(ctx, s.params, &models.OpenApiRequest{Query: map[string]*string{
		"PhoneNumbers":  dara.String(m.Phone),
		"SignName":      dara.String(s.cfg.SignName),
		"TemplateCode":  dara.String(s.cfg.TemplateCode),
		"TemplateParam": dara.String(string(param)),
	}}, &dara.RuntimeOptions{})

	var refusal interface {
		GetCode() *string
		GetRequestId() *string
	}
	switch {
	case errors.As(err, &refusal):
		return s.refused(ctx, m, dara.StringValue(refusal.GetCode()), dara.StringValue(refusal.GetRequestId()))
	case err != nil:
		return smsUnavailable(ctx, "aliyun", err)
	}
	body, _ := result["body"].(map[string]any)
	code, _ := body["Code"].(string)
	if code == "OK" {
		return nil
	}
	id, _ := body["RequestId"].(string)
	return s.refused(ctx, m, code, id)
}

// refused is the error for an answer with another code than OK. Its message is
// left out, as it may quote the number.
func (s *AliyunSender) refused(ctx context.Context, m Message, code, requestID string) error {
	if code == "isv.MOBILE_NUMBER_ILLEGAL" {
		return directory.WrongField("code", "/phone", directory.CodeFormat, "")
	}
	cause := smsFault(fmt.Sprintf("code %s, request %s", s.token(m, code), s.token(m, requestID)))
	if code == "isv.BUSINESS_LIMIT_CONTROL" {
		return &directory.Error{Kind: directory.RateLimited, What: "sms", Cause: fmt.Errorf("aliyun: %w", cause)}
	}
	return smsUnavailable(ctx, "aliyun", cause)
}

// token returns an identifier that the provider sent if it looks like one and
// gives nothing away, and "?" otherwise.
func (s *AliyunSender) token(m Message, text string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	if text == "" || len(text) > 100 || strings.Trim(text, letters) != "" {
		return "?"
	}
	for _, secret := range []string{m.Phone, m.Code, s.cfg.AccessKeyID, s.cfg.AccessKeySecret} {
		if strings.Contains(text, secret) {
			return "?"
		}
	}
	return text
}

// aliyunHTTP sends the SDK's requests in place of its own client, which follows
// redirects, reads answers of any length and does not always close them.
type aliyunHTTP struct{ client *http.Client }

// Call implements dara.HttpClient.
func (h aliyunHTTP) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	res, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, smsMaxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > smsMaxAnswer {
		return nil, smsFault("the answer is too long")
	}
	// The SDK takes any status below 400 for success, and has no status to tell
	// when an error is not JSON, as those of gateways are not.
	var object map[string]json.RawMessage
	readable := json.Unmarshal(body, &object) == nil
	if !readable || res.StatusCode != http.StatusOK && res.StatusCode < 400 {
		return nil, smsFault(fmt.Sprintf("status %d, with an answer that is not the API's", res.StatusCode))
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
