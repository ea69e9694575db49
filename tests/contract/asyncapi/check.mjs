// Holds the AsyncAPI document to its specification and its examples to their schemas, and the schemas to
// the messages of the corpus that a worker takes, by another implementation than the tests in Rust have.
//
// Usage: node check.mjs FOLDER, with asyncapi.yaml, schemas and corpus in it
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Parser } from '@asyncapi/parser'
import Ajv from 'ajv/dist/2020.js'

const folder = process.argv[2]
const failures = []
const text = (name) => readFileSync(join(folder, name), 'utf8')

const ajv = new Ajv({ allErrors: true, strict: false })
const schemas = new Map()
const judge = (name, message, what) => {
  if (!schemas.has(name)) schemas.set(name, ajv.compile(JSON.parse(text(`schemas/${name}.schema.json`))))
  const takes = schemas.get(name)
  if (!takes(message)) failures.push(`${what}: ${ajv.errorsText(takes.errors)}`)
}

const source = join(folder, 'asyncapi.yaml')
const { document, diagnostics } = await new Parser().parse(text('asyncapi.yaml'), { source })
const [ERROR, WARNING] = [0, 1]
for (const { severity, code, message, path, range } of diagnostics)
  if (severity === ERROR || severity === WARNING)
    failures.push(`${code} line ${range.start.line + 1} ${path.join('.')}: ${message}`)

let examples = 0
for (const message of document?.components().messages().all() ?? []) {
  const { name, examples: shown, contentType } = message.json()
  for (const { name: title, payload, headers } of shown) {
    const attributes = Object.entries(headers ?? {}).map(([key, value]) => [key.replace('ce-', ''), value])
    const cloudEvent = headers ? { ...Object.fromEntries(attributes), data: payload } : payload
    const schema = headers || contentType.includes('cloudevents') ? 'session.revoke.cloudevent' : name
    judge(schema, cloudEvent, `example "${title}" of ${name}`)
    examples += 1
  }
}

let taken = 0
for (const line of text('corpus/accepted.ndjson').trimEnd().split('\n')) {
  const { name, body, json } = JSON.parse(line)
  if (name.startsWith('binary: ')) continue
  const event = json ?? JSON.parse(body)
  judge(event.specversion ? 'session.revoke.cloudevent' : event.type, event, name)
  taken += 1
}

const names = (all) => all.map((one) => one.id()).sort().join(', ')
if (document) {
  console.log(`channels: ${names(document.channels().all())}`)
  console.log(`operations: ${names(document.operations().all())}`)
  console.log(`messages: ${names(document.components().messages().all())}`)
}
console.log(`${examples} examples and ${taken} messages of the corpus by ${schemas.size} schemas`)
for (const failure of failures) console.error(`error: ${failure}`)
process.exit(failures.length === 0 && examples >= 5 && taken >= 30 ? 0 : 1)
