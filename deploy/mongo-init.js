// Makes the replica set of three and its users. It runs at every start: what is there stays, and
// passwords become those of the secrets, which is how they are changed. mongosh runs it.

const {readFileSync} = require('fs');
const secret = (name) => readFileSync('/run/secrets/' + name, 'utf8').trim();

const hosts = ['mongo-1:27017', 'mongo-2:27017', 'mongo-3:27017'];
const root = `mongodb://root:${encodeURIComponent(secret('mongo_root_password'))}@`;

const first = connect(root + hosts[0] + '/admin?directConnection=true');
try {
  first.adminCommand({replSetGetStatus: 1});
} catch (e) {
  if (e.codeName !== 'NotYetInitialized') throw e;
  first.adminCommand({replSetInitiate: {_id: 'rs0', members: hosts.map((host, _id) => ({_id, host}))}});
  print('the replica set is new');
}

// Whoever is the primary now; the first command waits until there is one.
const admin = connect(root + hosts.join(',') + '/admin?replicaSet=rs0&serverSelectionTimeoutMS=60000');

function user(name, pwd, roles) {
  const known = admin.getUser(name) !== null;
  if (known) admin.updateUser(name, {pwd, roles}, {w: 'majority'});
  else admin.createUser({user: name, pwd, roles}, {w: 'majority'});
  print(`user ${name} is ${known ? 'as it should be' : 'new'}`);
}

// The servers: documents, and the indexes that they declare.
user('qingfu', secret('mongo_password'), [{role: 'readWrite', db: 'qingfu'}, {role: 'dbAdmin', db: 'qingfu'}]);
// mongodump.
user('backup', secret('mongo_backup_password'), [{role: 'backup', db: 'admin'}]);
