// SPDX-License-Identifier: Apache-2.0
// Opens the pages that describe_documents has written in Chromium: node browse_pages.mjs DIRECTORY. Screenshots go to
// DIRECTORY/screenshots.
import { mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const directory = resolve(process.argv[2]);
const require = createRequire(join(process.env.FRESHET_TOOLS, "package.json"));
const { chromium } = require("playwright-core");
// Has the package unpack, beside itself, the libraries that Chromium needs and that the system may lack.
process.env.TMPDIR = process.env.FRESHET_TOOLS;
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs22.x";
const bundle = await import(pathToFileURL(require.resolve("@sparticuz/chromium")));

let failed = 0;
const fail = (text) => { failed += 1; console.log(text); };

const browser = await chromium.launch({
    executablePath: await bundle.default.executablePath(),
    args: ["--no-sandbox", "--no-zygote", "--disable-gpu"],
});

/** Opens a page in a new context, and tells of everything that it must not do. */
async function open(name, options) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(120_000);
    const page = await context.newPage();
    const url = pathToFileURL(join(directory, name)).href;
    page.on("console", (message) => fail(`${name}: the console says: ${message.text()}`));
    page.on("pageerror", (error) => fail(`${name}: ${error}`));
    page.on("request", (request) => { if (request.url() !== url) fail(`${name}: it asks for ${request.url()}`); });
    await page.goto(url);
    return page;
}

async function check(name, page) {
    const { overflow, lost, operations } = await page.evaluate(() => ({
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        lost: [...document.querySelectorAll("a[href^='#']")].map((link) => link.hash.slice(1))
            .filter((id) => !document.getElementById(decodeURIComponent(id))),
        operations: document.querySelectorAll("article[id^='operation-']").length,
    }));
    if (overflow > 0) fail(`${name}: it is ${overflow} pixels wider than the window`);
    if (lost.length > 0) fail(`${name}: links lead nowhere: ${lost.join(" ")}`);
    if (operations === 0) fail(`${name}: it shows no operation`);
}

/** Uses the keyboard alone: jumps into the search, finds one part, and takes it back. */
async function search(name, page) {
    const all = await page.locator("article:visible").count();
    const words = await page.locator("article").first().getAttribute("data-search");
    await page.keyboard.press("/");
    await page.keyboard.type(words.split(" ")[0]);
    const some = await page.locator("article:visible").count();
    if (some === 0 || (all > 3 && some === all)) fail(`${name}: the search leaves ${some} of ${all} parts`);
    await page.keyboard.type(" nothing-has-this");
    if (await page.locator("article:visible").count() !== 0) fail(`${name}: the search finds what is not there`);
    if (!(await page.locator("#found").textContent()).startsWith("0 of")) fail(`${name}: the search does not count`);
    await page.keyboard.press("Escape");
    if (await page.locator("article:visible").count() !== all) fail(`${name}: the search hides parts for ever`);
}

async function unfold(name, page) {
    for (const summary of await page.locator("main summary:visible").all()) {
        await summary.focus();
        await page.keyboard.press("Enter");
        if (!await summary.evaluate((element) => element.parentElement.open)) fail(`${name}: a part does not unfold`);
    }
}

const pages = readdirSync(directory).filter((name) => name.endsWith(".html")).sort();
mkdirSync(join(directory, "screenshots"), { recursive: true });
for (const name of pages) {
    for (const [width, colorScheme] of [[1200, "light"], [360, "dark"]]) {
        const page = await open(name, { viewport: { width, height: 800 }, colorScheme });
        await check(name, page);
        await search(name, page);
        await unfold(name, page);
        await check(name, page);
        const file = name.replace(/html$/, `${width}-${colorScheme}.png`);
        await page.screenshot({ path: join(directory, "screenshots", file), fullPage: true });
        await page.context().close();
    }
    const plain = await open(name, { javaScriptEnabled: false, viewport: { width: 1200, height: 800 } });
    if (await plain.locator("article:visible").count() === 0) fail(`${name}: it shows nothing without its script`);
    await plain.context().close();
}
await browser.close();
console.log(`${pages.length} pages, ${failed} problems`);
process.exit(failed || pages.length === 0 ? 1 : 0);
