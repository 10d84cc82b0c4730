// SPDX-License-Identifier: Apache-2.0
// Checks what describe_documents has written: node check_documents.mjs DIRECTORY, where DIRECTORY has *.json (AsyncAPI documents, each
// with a *.yaml beside it) and bodies.ndjson, a line {"name", "schema", "body"} for each body that must fit its schema. NODE_PATH does not
// serve modules, so the packages are found from FRESHET_TOOLS.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

const directory = process.argv[2];
const require = createRequire(join(process.env.FRESHET_TOOLS, "package.json"));
const { Parser } = require("@asyncapi/parser");
const requireOfParser = createRequire(require.resolve("@asyncapi/parser"));
const Ajv = requireOfParser("ajv").default;
const addFormats = requireOfParser("ajv-formats").default;
const { load } = requireOfParser("js-yaml");

let failed = 0;
const fail = (text) => { failed += 1; if (failed <= 20) console.log(text); };

const parser = new Parser();
const documents = readdirSync(directory).filter((name) => name.endsWith(".json")).sort();
for (const name of documents) {
    const text = readFileSync(join(directory, name), "utf8");
    const yaml = load(readFileSync(join(directory, name.replace(/json$/, "yaml")), "utf8"));
    if (!isDeepStrictEqual(yaml, JSON.parse(text))) fail(`${name}: the YAML says something else`);
    const { document, diagnostics } = await parser.parse(text);
    for (const one of diagnostics.filter((one) => one.severity <= 1))
        fail(`${name}: ${one.path.join(".")}: ${one.message}`);
    if (!document) fail(`${name}: it is no document`);
}

const ajv = new Ajv({ strict: false, allErrors: false });
addFormats(ajv);
const validators = new Map();
let bodies = 0;
for (const line of readFileSync(join(directory, "bodies.ndjson"), "utf8").split("\n").filter(Boolean)) {
    const { name, schema, body } = JSON.parse(line);
    const key = JSON.stringify(schema);
    if (!validators.has(key)) validators.set(key, ajv.compile(schema));
    const validate = validators.get(key);
    bodies += 1;
    if (!validate(JSON.parse(body))) fail(`${name}: ${body}: ${ajv.errorsText(validate.errors)}`);
}
console.log(`${documents.length} documents, ${bodies} bodies, ${validators.size} schemas, ${failed} problems`);
process.exit(failed || documents.length === 0 || bodies === 0 ? 1 : 0);
