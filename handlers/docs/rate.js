'use strict';

// The page to which the QR codes of posters and invitations lead. What is rated is
// in the fragment of the address, which no server sees: #listing=ID or
// #invitation=SECRET. The access token is kept as long as the page is open.

const element = (id) => document.getElementById(id);
const given = new URLSearchParams(location.hash.slice(1));
const listing = given.get('listing');
const invitation = given.get('invitation');
let token = '';

function say(text, kind) {
  element('message').textContent = text;
  element('message').className = kind || '';
}

// call asks the API; it returns the answer or shows the problem and returns null.
async function call(method, path, body) {
  const headers = { 'Accept-Language': 'zh-CN' };
  if (body) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = 'Bearer ' + token;
  say('');
  try {
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    const answer = response.status === 204 ? {} : await response.json();
    if (response.ok) return answer;
    const fields = (answer.errors || []).map((e) => e.message).join(' ');
    say([answer.title, answer.detail, fields].filter(Boolean).join('：'), 'wrong');
  } catch {
    say('网络不通，请稍后再试。 No connection: try again.', 'wrong');
  }
  return null;
}

function show(name) {
  element('about').textContent = name;
  element('kind').hidden = false;
  element('kind').textContent = invitation
    ? '这是商家发出的评价邀请，只有受邀的手机号可以使用，计入官方满意率。'
    : '这是公开评价，单独展示，不计入官方满意率。';
}

async function begin() {
  if (invitation) {
    show('请先验证受邀的手机号。');
  } else if (listing) {
    const found = await call('GET', '/v1/listings/' + encodeURIComponent(listing));
    if (!found) {
      element('about').textContent = '没有找到这项服务。 There is no such service.';
      return;
    }
    show(found.name);
  } else {
    element('about').textContent = '请扫描商家的评价二维码。 Scan the code of a business.';
    return;
  }
  element('sign-in').hidden = false;
}

element('send').addEventListener('click', async () => {
  const sent = await call('POST', '/v1/auth/codes', { phone: element('phone').value });
  if (!sent) return;
  element('code').disabled = element('enter').disabled = false;
  element('code').focus();
  say('验证码已发送。 The code is on its way.', 'done');
});

element('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const signedIn = await call('POST', '/v1/auth/tokens', { phone: element('phone').value, code: element('code').value });
  if (!signedIn) return;
  token = signedIn.access_token;
  if (invitation) {
    const opened = await call('POST', '/v1/rating-invitations:open', { token: invitation });
    if (!opened) return;
    show(opened.name);
  }
  element('sign-in').hidden = true;
  element('rate').hidden = false;
});

element('rate').addEventListener('submit', async (event) => {
  event.preventDefault();
  const rating = {
    level: Number(new FormData(element('rate')).get('level')),
    text: element('text').value,
    for_family: element('family').checked,
  };
  if (invitation) rating.invitation = invitation; else rating.listing = listing;
  const done = await call('POST', '/v1/ratings', rating);
  if (!done) return;
  element('rate').hidden = true;
  say(done.state.code === 'held' ? '已收到，核查后公开。谢谢您！ Received; it is shown once it was looked at.' : '已评价，谢谢您！ Thank you!', 'done');
});

begin();
