'use strict';

// The page of the official figures. What it shows is in the fragment of the address,
// so that a screen can be shared, reloaded and gone back to:
// #kind=…&region=…&from=…&to=…&satisfied_from=…
// What somebody signs in with is kept as long as the page is open.

const element = (id) => document.getElementById(id);

// What is asked of the API, and which parameters it takes.
const sources = {
  overview: ['/v1/stats/overview', 'kind', 'region', 'from', 'to', 'satisfied_from'],
  satisfaction: ['/v1/stats/satisfaction', 'kind', 'region', 'by', 'from', 'to', 'satisfied_from'],
  indicators: ['/v1/stats/indicators', 'region', 'indicator'],
  ratings: ['/v1/stats/ratings:export', 'kind', 'region', 'from', 'to', 'format'],
  svg: ['/v1/stats/charts/{name}.svg', 'kind', 'region', 'from', 'to', 'satisfied_from', 'width'],
  png: ['/v1/stats/charts/{name}.png', 'kind', 'region', 'from', 'to', 'satisfied_from', 'width'],
  regions: ['/v1/regions', 'parent'],
};

const province = '630000';
const defaults = { kind: 'domestic_service', region: province, from: '', to: '', satisfied_from: '4' };
let chosen = defaults;
let token = '';
let refresh = null; // { token, due } of somebody who has signed in by phone
let renewing = null;
let turn = 0; // which loading is the latest one

function address(source, values) {
  const [path, ...names] = sources[source];
  const query = String(new URLSearchParams(names.filter((name) => values[name]).map((name) => [name, values[name]])));
  return path.replace('{name}', values.name) + (query && '?' + query);
}

// ask returns the answer, or throws an error whose message can be shown.
async function ask(method, path, body) {
  const headers = { 'Accept-Language': 'zh-CN' };
  if (body) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = 'Bearer ' + token;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error('网络不通，请稍后再试。 No connection: try again.');
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ title: '服务器没有正常回答', detail: String(response.status) }));
  const fields = (problem.errors || []).map((e) => labelOf(e.parameter || (e.pointer || '').slice(1)) + e.message).join(' ');
  throw Object.assign(new Error([problem.title, fields || problem.detail].filter(Boolean).join('：')), { status: response.status });
}

// labelOf returns what the page calls a field of the API.
function labelOf(field) {
  const label = document.querySelector(`label[for="${CSS.escape(field)}"]`);
  return label ? `“${label.firstChild.textContent.trim()}”` : '';
}

const askJSON = async (method, path, body) => (await ask(method, path, body)).json();

function say(text, kind) {
  element('message').textContent = text;
  element('message').className = kind || '';
}

// node makes an element; children are elements or text, and what is null is left out.
function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

const english = (text) => node('span', { lang: 'en' }, text);
const small = (...children) => node('small', null, ...children);

// Choosing.

const month = (year, number) => new Date(Date.UTC(year, number - 1)).toISOString().slice(0, 7);

// The periods that have names, by the month that it is in Qinghai.
function periods() {
  const now = new Date(Date.now() + 8 * 3600 * 1000);
  const year = now.getUTCFullYear();
  const number = now.getUTCMonth() + 1;
  const quarter = number - (number - 1) % 3;
  return {
    now: month(year, number),
    named: {
      this_year: ['', ''],
      last_quarter: [month(year, quarter - 3), month(year, quarter - 1)],
      last_month: [month(year, number - 1), month(year, number - 1)],
      last_year: [month(year - 1, 1), month(year - 1, 12)],
    },
  };
}

const fragment = (values) => '#' + new URLSearchParams(Object.entries({ ...chosen, ...values }).filter(([name, value]) => value !== defaults[name]));

function choose(values) {
  const to = fragment(values);
  if (to !== (location.hash || '#')) location.hash = to;
}

function readChoice() {
  const given = new URLSearchParams(location.hash.slice(1));
  chosen = Object.fromEntries(Object.keys(defaults).map((name) => [name, given.get(name) || defaults[name]]));
  for (const name of Object.keys(chosen)) element(name).value = chosen[name];
  const { now, named } = periods();
  const found = Object.keys(named).find((name) => named[name][0] === chosen.from && named[name][1] === chosen.to);
  if (element('period').value !== 'other' || found === 'this_year') element('period').value = found || 'other';
  element('from').max = element('to').max = now;
  showMonths();
}

function showMonths() {
  for (const field of document.querySelectorAll('.month')) field.hidden = element('period').value !== 'other';
}

for (const name of ['kind', 'region', 'satisfied_from']) {
  element(name).addEventListener('change', () => choose({ [name]: element(name).value }));
}
for (const name of ['from', 'to']) {
  element(name).addEventListener('change', () => {
    if (element('from').value && element('to').value) choose({ from: element('from').value, to: element('to').value });
  });
}
element('period').addEventListener('change', () => {
  const { now, named } = periods();
  const period = named[element('period').value];
  showMonths();
  if (period) {
    choose({ from: period[0], to: period[1] });
  } else {
    element('from').value = chosen.from || now.slice(0, 4) + '-01';
    element('to').value = chosen.to || now;
    element('from').focus();
  }
});
element('choices').addEventListener('submit', (event) => event.preventDefault());

const prefectureOf = (region) => region.slice(0, 4) + '00';

// listRegions fills in the prefectures, and the counties of the one that is chosen.
async function listRegions() {
  const region = chosen.region;
  const fill = async (id, parent) => {
    const group = element(id);
    if (group.dataset.parent !== parent) {
      const found = await askJSON('GET', address('regions', { parent }));
      group.replaceChildren(...found.items.map((r) => node('option', { value: r.code }, r.name)));
      group.dataset.parent = parent;
    }
  };
  await fill('prefectures', province);
  if (region === province) {
    element('counties').replaceChildren();
    delete element('counties').dataset.parent;
  } else {
    await fill('counties', prefectureOf(region));
  }
  if (chosen.region === region) element('region').value = region;
}

// Showing.

const percent = (share) => (share * 100).toFixed(1) + '%';
const round = (share) => Number((share * 100).toFixed(2)) + '%'; // of targets: 85%
const range = (low, high) => percent(low) + '–' + percent(high);
const points = (difference) => (difference > 0 ? '+' : difference < 0 ? '−' : '') + Math.abs(difference * 100).toFixed(1);

const verdicts = {
  met: ['✓', '达标', 'met'], not_met: ['✗', '未达标', 'not met'], uncertain: ['?', '未定', 'uncertain'], too_few: ['…', '样本不足', 'too few'],
  not_applicable: ['–', '不适用', 'not applicable'], no_data: ['…', '无数据', 'no data'], suppressed: ['–', '不公开', 'not public'],
};

function chip(verdict) {
  const [sign, name, en] = verdicts[verdict];
  return node('span', { class: 'chip ' + verdict }, node('span', { 'aria-hidden': 'true' }, sign), ' ' + name + ' ', english(en));
}

function headline(table) {
  const total = table.total;
  const of = `${table.region_name} ${table.period_name} ${table.kind_name}满意率`;
  if (total.suppressed) return [`${of}不公开：${total.reason}`];
  if (total.share == null) return [`${of}：只有 ${total.n} 条评价，不足 ${table.min_ratings} 条，不给出满意率 `, chip(total.verdict)];
  return [`${of} `, node('strong', null, percent(total.share)), `（95% 置信区间 ${range(total.low, total.high)}，n=${total.n}）：`, chip(total.verdict)];
}

// parts are the rows of a table without that of its own region, which a county has.
const parts = (table) => table.rows.filter((row) => row.key !== table.region);

function summary(table) {
  const verdictOf = (row) => (row.suppressed ? 'suppressed' : row.verdict);
  return ['met', 'not_met', 'uncertain', 'too_few', 'suppressed'].map((verdict) => {
    const rows = parts(table).filter((row) => verdictOf(row) === verdict);
    const names = rows.map((row) => row.name + (row.needed ? `（还需 ${row.needed} 条）` : '')).join('、');
    return rows.length ? node('li', null, chip(verdict), ` ${rows.length} 个：${names}`) : null;
  }).filter(Boolean);
}

function weighted(table) {
  const by = { population: ['按人口加权的估计', 'weighted by population'], bookings: ['按完成的预约加权的估计', 'weighted by completed bookings'] };
  return table.post_stratified.map((e) => {
    const [name, en] = by[e.weights];
    if (e.suppressed) return node('p', { class: 'small' }, `${name}：不公开。`, english(en));
    if (e.share == null) return node('p', { class: 'small' }, `${name}：没有数据。`, english(en));
    return node('p', { class: 'small' }, `${name}：${percent(e.share)}（${range(e.low, e.high)}），设计效应 ${e.design_effect}，有效样本 ` +
      `${Math.round(e.effective_n)}，覆盖权重 ${percent(e.covered)} `, chip(e.verdict), ' ', english(en));
  });
}

function changeCell(change) {
  if (!change) return ['—'];
  const sign = change.low > 0 ? '↑ ' : change.high < 0 ? '↓ ' : '';
  return [`${sign}${points(change.difference)}`, small(`（${points(change.low)} 至 ${points(change.high)}）`)];
}

function responseCell(row) {
  const rates = [['预约', row.bookings], ['邀请', row.invitations]].filter(([, r]) => r && r.asked > 0);
  return rates.length ? rates.map(([name, r]) => node('div', null, `${name} ${r.rated}/${r.asked}`, small(`（${percent(r.rate)}）`))) : ['—'];
}

function satisfactionRow(table, row) {
  const below = row.key.length === 6 && row.key !== table.region;
  const name = below ? node('a', { href: fragment({ region: row.key }) }, row.name) : row.name;
  const head = node('th', { scope: 'row' }, name);
  const attributes = { class: row.key === 'total' ? 'total' : null };
  if (row.suppressed) return node('tr', attributes, head, node('td', null, chip('suppressed')), node('td', { colspan: 6, class: 'why' }, row.reason));
  return node('tr', attributes, head,
    node('td', null, chip(row.verdict)),
    node('td', { class: 'number' }, row.share == null ? '—' : percent(row.share)),
    node('td', { class: 'number' }, row.share == null ? '—' : range(row.low, row.high)),
    node('td', { class: 'number' }, String(row.n), row.thin ? node('div', { class: 'thin' }, '样本少 ', english('thin')) : null),
    node('td', { class: 'number' }, row.needed != null ? String(row.needed) : row.verdict === 'uncertain' ? '无法估计' : '—'),
    node('td', { class: 'number' }, ...changeCell(row.change)),
    node('td', null, ...responseCell(row)));
}

function legend(table) {
  const t = round(table.target);
  const counted = [['待核查', table.total.held], ['未计入', table.total.excluded]].filter(([, reasons]) => reasons && reasons.length)
    .map(([name, reasons]) => `${name}：${reasons.map((r) => `${r.reason.name} ${r.n} 条`).join('、')}。`);
  return [
    `达标：区间下限不低于 ${t}；未达标：上限低于 ${t}；未定：区间含 ${t}，满意率不变时还需所列条数才有结论；不足 ${table.min_ratings} 条评价为样本不足，` +
    `不足 ${table.comparable_from} 条的标“样本少”，不宜比较。变化以百分点计，区间不含 0 的标 ↑ 或 ↓。${counted.join('')} `,
    english(`Met: the interval lies above ${t}; not met: below; uncertain: it holds ${t}. Changes are percentage points, with an arrow where the interval leaves 0.`),
  ];
}

// link leads to what is behind a figure; with a token it is fetched and saved.
function link(path, text, name) {
  const made = node('a', { href: path, download: name }, text);
  made.addEventListener('click', async (event) => {
    if (!token) return;
    event.preventDefault();
    try {
      await renew();
      const saved = node('a', { href: URL.createObjectURL(await (await ask('GET', path)).blob()), download: name });
      saved.click();
      setTimeout(() => URL.revokeObjectURL(saved.href), 60000);
    } catch (problem) {
      say(problem.message, 'wrong');
    }
  });
  return made;
}

function showSatisfaction(table) {
  const region = table.region;
  const up = region === province ? [] : [[province, '青海省']];
  if (up.length && region !== prefectureOf(region)) up.push([prefectureOf(region), element('region').querySelector(`option[value="${prefectureOf(region)}"]`)?.textContent || '市州']);
  element('path').replaceChildren(...up.flatMap(([code, name]) => [node('a', { href: fragment({ region: code }) }, name), ' › ']), table.region_name);
  element('headline').replaceChildren(...headline(table));
  element('view').replaceChildren(...(table.public
    ? ['公众视图：可能泄露小样本的数据不显示。 ', english('As the public sees it.')]
    : [node('strong', null, '工作人员视图'), '：含不公开的数据，请勿外传。 ', english('With what is not public: do not pass it on.')]));
  element('summary').replaceChildren(...summary(table));
  element('weighted').replaceChildren(...weighted(table));
  const period = table.total.change?.period || table.rows.find((row) => row.change)?.change.period;
  element('change').replaceChildren('比上一时期 ', english('Change'), ...(period ? [small(`（${period.from === period.to ? period.from : period.from + '至' + period.to}）`)] : []));
  element('satisfaction').tBodies[0].replaceChildren(...[table.total, ...parts(table)].map((row) => satisfactionRow(table, row)));
  element('legend').replaceChildren(...legend(table));
  element('links').replaceChildren(link(address('satisfaction', { ...chosen, by: 'region' }), '数据 JSON', 'satisfaction.json'));
  if (!table.public) {
    const path = address('ratings', { ...chosen, ...table.period, format: 'csv' });
    element('links').append(link(path, '评价明细 CSV', `ratings-${table.kind}-${region}-${table.period.from}-${table.period.to}.csv`));
  }
}

// The charts, and what each is drawn from.
const charts = {
  map: ['各市州结论', () => address('satisfaction', { ...chosen, by: 'region', region: province })],
  shares: ['满意率与区间', () => address('satisfaction', { ...chosen, by: 'region' })],
  trend: ['走势', () => address('satisfaction', { ...chosen, by: 'month' })],
  levels: ['等级分布', () => address('satisfaction', { ...chosen, by: 'region' })],
  coverage: ['街道养老服务覆盖率', () => address('indicators', { region: chosen.region, indicator: 'street_coverage' })],
};

async function showCharts(mine) {
  const width = matchMedia('(max-width: 700px)').matches ? 360 : 560;
  await Promise.all(Object.entries(charts).map(async ([name, [title, data]]) => {
    let figure = element('chart-' + name);
    if (!figure) {
      figure = node('figure', { id: 'chart-' + name }, node('p', null, `${title}：正在加载……`), node('figcaption', { class: 'links' }));
      element('charts').append(figure);
    }
    let shown;
    let words = null;
    try {
      const text = await (await ask('GET', address('svg', { ...chosen, name, width }))).text();
      const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
      shown = node('img', { alt: svg.querySelector('title').textContent, src: 'data:image/svg+xml,' + encodeURIComponent(text), width: svg.getAttribute('width'), height: svg.getAttribute('height') });
      words = node('details', null, node('summary', null, '文字说明 ', english('In words')), svg.querySelector('desc').textContent);
    } catch (problem) {
      shown = node('p', { class: 'wrong' }, `${title}：${problem.message}`);
    }
    if (mine !== turn) return;
    figure.replaceChildren(shown, node('figcaption', { class: 'links' },
      link(address('png', { ...chosen, name, width: 960 }), 'PNG', name + '.png'), link(data(), '数据 JSON', name + '.json'), words));
  }));
}

function showIndicators(table) {
  const value = (item, figure) => (figure.value == null ? '—' : item.unit === 'share' ? percent(figure.value) : String(figure.value));
  const target = (item) => {
    if (!item.target) return '—';
    const of = item.unit === 'share' ? round(item.target.value) : item.target.value;
    return (item.target.relation === 'more_than' ? '> ' : '≥ ') + of;
  };
  const row = (item) => {
    const total = item.total;
    const more = [
      total.known && `写明的 ${total.known.known}/${total.known.of}。`, total.unplaced && `位置不够具体、未计入 ${total.unplaced} 条。`,
      total.per_thousand != null && `每千常住人口 ${total.per_thousand}。`,
      total.breakdown && `其中：${total.breakdown.map((part) => `${part.names.zh} ${part.value}`).join('、')}。`,
    ].filter(Boolean).join('');
    const below = item.regions.map((figure) => `${figure.name} ${value(item, figure)}${figure.verdict ? '（' + figure.verdict.name + '）' : ''}`).join('；');
    return node('tr', null,
      node('th', { scope: 'row' }, item.name, ' ', small(`〔${item.section}〕`), ' ', english(item.names.en),
        node('details', null, node('summary', null, '定义和各地区 ', english('Definition, regions')),
          node('p', null, item.definition.zh), node('p', { lang: 'en' }, item.definition.en), more && node('p', null, more), below && node('p', null, below))),
      node('td', null, total.verdict ? chip(total.verdict.code) : '无目标'),
      node('td', { class: 'number' }, value(item, total)),
      node('td', { class: 'number' }, total.numerator == null || total.denominator == null ? '—' : `${total.numerator} / ${total.denominator}`),
      node('td', { class: 'number' }, target(item)),
      node('td', null, ...(item.source === 'computed' ? ['计算 ', english('computed')] : ['直报 ', english('reported')])),
      node('td', null, total.month || total.as_of || '—'));
  };
  element('indicators').tBodies[0].replaceChildren(...table.items.map(row));
  element('indicator-links').replaceChildren(link(address('indicators', { region: chosen.region }), '数据 JSON', 'indicators.json'));
}

function showReporting(forms) {
  element('reporting-part').hidden = forms.length === 0;
  element('reporting').tBodies[0].replaceChildren(...forms.map((form) => node('tr', null,
    node('th', { scope: 'row' }, form.form.name, small(`（${form.month}）`)),
    ...[form.expected, form.approved, form.submitted, form.late, form.missing].map((n) => node('td', { class: 'number' }, String(n))),
    node('td', null, form.first.join('、') + (form.missing > form.first.length ? ` 等 ${form.missing} 家` : '') || '—'))));
}

async function load() {
  const mine = ++turn;
  readChoice();
  say('正在加载…… Loading…');
  element('result').setAttribute('aria-busy', 'true');
  try {
    await renew();
    const [overview] = await Promise.all([askJSON('GET', address('overview', chosen)), listRegions()]);
    if (mine !== turn) return;
    element('result').hidden = false;
    element('demo').hidden = !overview.demo_data;
    showSatisfaction(overview.satisfaction);
    showIndicators(overview.indicators);
    showReporting(overview.reporting);
    element('as-of').textContent = `数据截至 ${new Date(overview.satisfaction.as_of).toLocaleString('zh-CN', { timeZone: 'Asia/Shanghai' })}，满意率只计预约和邀请的评价。`;
    document.title = `${overview.satisfaction.region_name}${overview.satisfaction.kind_name}满意率与政策指标 · 青服`;
    await showCharts(mine);
    if (mine === turn) say('');
  } catch (problem) {
    if (mine !== turn) return;
    if (problem.status === 401 && token) {
      forget();
      await load();
      say('登录已失效，请重新登录。以下为公众视图。 ' + problem.message, 'wrong');
      return;
    }
    element('result').hidden = true;
    say(problem.message, 'wrong');
  } finally {
    if (mine === turn) element('result').removeAttribute('aria-busy');
  }
}

// Signing in.

function keep(tokens) {
  token = tokens.access_token;
  refresh = { token: tokens.refresh_token, due: Date.now() + (tokens.expires_in - 120) * 1000 };
}

// renew gets new tokens where those at hand are about to expire. A refresh token works
// once, so that all who wait have to wait for the same call.
async function renew() {
  const old = refresh;
  if (!old || Date.now() < old.due) return;
  renewing ||= askJSON('POST', '/v1/auth/refresh', { refresh_token: old.token })
    .then((tokens) => { if (refresh === old) keep(tokens); }) // not after signing out
    .finally(() => { renewing = null; });
  await renewing;
}

function forget() {
  token = '';
  refresh = null;
  element('officials').hidden = element('sign-in').hidden = element('with-key').hidden = false;
  element('signed-in').hidden = element('second').hidden = true;
  for (const id of ['code', 'factor', 'key']) element(id).value = '';
  element('code').disabled = element('enter').disabled = true;
}

// entered shows the figures to somebody who has signed in, beginning with their region.
async function entered(who, region) {
  element('officials').hidden = true;
  element('officials').open = false;
  element('signed-in').hidden = false;
  element('who').textContent = '已登录：' + who;
  element('leave').focus();
  if (region && region !== chosen.region && chosen.region === province) choose({ region });
  else await load();
}

async function enteredAs(account) {
  const grants = account.roles.filter((grant) => grant.role.code === 'admin' || (grant.powers || []).some((power) => power.code === 'statistics'));
  const where = grants.map((grant) => grant.region?.name).filter(Boolean).join('、');
  const who = account.name || account.phone;
  if (!grants.length) await entered(`${who}。此账户没有统计权限，显示公众视图`);
  else await entered(who + (where && `（${where}）`), grants[0].region?.code);
}

// step runs a step of signing in, in which buttons do nothing twice.
function step(id, event, run) {
  element(id).addEventListener(event, async (e) => {
    e.preventDefault();
    const buttons = [...element('officials').querySelectorAll('button')].filter((button) => !button.disabled);
    for (const button of buttons) button.disabled = true;
    say('请稍候…… Please wait…');
    try {
      await run();
    } catch (problem) {
      say(problem.message, 'wrong');
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}

step('send', 'click', async () => {
  await ask('POST', '/v1/auth/codes', { phone: element('phone').value });
  element('code').disabled = element('enter').disabled = false;
  element('code').focus();
  say('验证码已发送。 The code is on its way.', 'done');
});

step('sign-in', 'submit', async () => {
  keep(await askJSON('POST', '/v1/auth/tokens', { phone: element('phone').value, code: element('code').value }));
  const account = await askJSON('GET', '/v1/me');
  if (account.second_factor !== 'registered') {
    await enteredAs(account);
    return;
  }
  element('sign-in').hidden = element('with-key').hidden = true;
  element('second').hidden = false;
  element('factor').focus();
  say('还需要身份验证器的验证码。 Now the code of the authenticator app.', 'done');
});

step('second', 'submit', async () => {
  await ask('POST', '/v1/auth/second-factor', { code: element('factor').value });
  await enteredAs(await askJSON('GET', '/v1/me'));
});

step('with-key', 'submit', async () => {
  token = element('key').value.trim();
  try {
    const key = await askJSON('GET', '/v1/api-keys:current');
    element('key').value = '';
    await entered(`密钥“${key.name}”（${key.bureau.name}，${key.region.name}）`, key.region.code);
  } catch (problem) {
    token = '';
    throw problem;
  }
});

element('leave').addEventListener('click', async () => {
  if (refresh) await ask('DELETE', '/v1/auth/session').catch(() => {}); // it ends by itself otherwise
  forget();
  await load();
});

addEventListener('hashchange', load);
load();
