package handlers

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"qingfu/directory"
)

// who names those who may call an operation, as x-permission in the contract does.
func who(p directory.Permission) string {
	switch {
	case !p.AsksWho():
		return "everybody"
	case p.Accounts:
		return "account"
	}
	roles := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		roles[i] = string(r)
	}
	list := strings.Join(roles, ", ")
	if p.Power != "" {
		list += " (" + string(p.Power) + ")"
	}
	if p.Keys {
		list = strings.TrimPrefix(list+", API key", ", ")
	}
	if p.Public {
		list = "everybody, more for " + list
	}
	return list
}

// scopeTexts says how far a role reaches.
var scopeTexts = map[directory.Role]text{
	directory.Owner:    {"本机构", "the own organization"},
	directory.Staff:    {"本机构", "the own organization"},
	directory.Official: {"本部门，本地区及其下级", "the own bureau, the own region and what is within it"},
	directory.Admin:    {"全部", "everything"},
}

// whoInWords is who and its scope for the reference page.
func whoInWords(p directory.Permission) (names, scope string) {
	switch {
	case !p.AsksWho():
		return "所有人 everybody", "公开内容 what is public"
	case p.Accounts:
		return "已登录者 every account", "自己的 what is one's own"
	}
	var nameList, scopeList []string
	for _, r := range p.Roles {
		term, _ := directory.RoleTerm(r)
		nameList = append(nameList, term.Names.Zh+" "+string(r))
		scopeList = append(scopeList, scopeTexts[r].zh+" "+scopeTexts[r].en)
	}
	names = strings.Join(nameList, "；")
	if p.Power != "" {
		term, _ := directory.PowerTerm(p.Power)
		names += "，权限 power: " + term.Names.Zh + " " + string(p.Power)
	}
	if p.Keys {
		names = strings.TrimPrefix(names+"；部门间共享密钥 API key", "；")
		scopeList = append(scopeList, "密钥的部门、地区及其下级 the key's bureau and region and what is within it")
	}
	if p.Public {
		names = "所有人 everybody；更多内容 more：" + names
	}
	return names, strings.Join(scopeList, "；")
}

// renderPermissions makes the page with the table of who may do what.
func (a *api) renderPermissions() ([]byte, error) {
	page, err := template.ParseFS(docsFS, "docs/permissions.html")
	if err != nil {
		return nil, err
	}
	type row struct{ Operation, Method, Path, Who, Scope, Limit string }
	var rows []row
	for _, r := range a.routes() {
		names, scope := whoInWords(r.permission)
		rows = append(rows, row{r.operation, r.method, r.path, names, scope, a.limitText(r)})
	}
	var b bytes.Buffer
	err = page.Execute(&b, rows)
	return b.Bytes(), err
}

// limitText says how often an operation may be called.
func (a *api) limitText(r route) string {
	network, account := a.limits(r.class)
	var parts []string
	if network.Most > 0 {
		parts = append(parts, fmt.Sprintf("%d / 网络 network", network.Most))
	}
	if account.Most > 0 && r.permission.AsksWho() {
		parts = append(parts, fmt.Sprintf("%d / 账户 account", account.Most))
	}
	if r.permission.Keys {
		parts = append(parts, "密钥自定 what the API key allows")
	}
	return strings.Join(parts, "，")
}
