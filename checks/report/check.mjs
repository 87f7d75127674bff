// Opens reports in Chromium at the width of a phone and of a desktop, light and
// dark, and as they are printed, and fails on: messages of the console, requests, a page that is wider than
// its window, text of a figure that is cut off, figures that the run's artifacts
// call for and that are not there, images without a name that a screen reader says,
// ids given twice, cells of a table's head without a scope, rows of a table as high as a column is narrow, tables that paper cuts off, 3 MiB. Before that it
// breaks a page in each of these ways and sees to it that all are found.
//
//   node check.mjs MODULES CHROMIUM SHOTS PAGE...     SHOTS: a folder, or ""

import { createRequire } from "node:module";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, chromium, shots, ...pages] = process.argv.slice(2);
const puppeteer = createRequire(path.resolve(modules, "package.json"))("puppeteer-core");

const most = 3 * 2 ** 20; // bytes
const paper = 687; // px, the width of A4 between the page's margins
const phone = { width: 390, dark: true };

// Artifacts, and the figure that a report has because of them.
const figures = {
  "distill/scoreboard.parquet": "fig-scoreboard",
  "distill/predictions.parquet": "fig-predicted",
  "latency/dataset.parquet": "fig-latency",
  "search/front.parquet": "fig-front",
  "search/progress.parquet": "fig-trajectories",
  "search/ledger.parquet": "fig-costs",
  "winners/winners.parquet": "fig-winners",
  "benchmark/samples.parquet": "fig-benchmark",
  "benchmark/roofline.parquet": "fig-roofline",
};

function expected(page) {
  const manifest = JSON.parse(fs.readFileSync(path.join(path.dirname(page), "..", "run.json"), "utf8"));
  const files = manifest.stages.flatMap((s) => (s.outputs ?? []).map((o) => o.path));
  return files.filter((f) => figures[f]).map((f) => figures[f]);
}

// inspect runs in the page and returns what is wrong with it.
function inspect(wanted, dark) {
  const faults = [];
  const width = document.documentElement.clientWidth;
  for (const table of matchMedia("print").matches ? document.querySelectorAll("table") : []) {
    if (table.getBoundingClientRect().right > width + 1) faults.push(`a table reaches ${Math.round(table.getBoundingClientRect().right)} px, paper ends at ${width}: ${table.textContent.trim().slice(0, 40)}`);
  }
  if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} px wide, the window ${width}`);
  for (const e of document.querySelectorAll("body *")) {
    if (!e.closest(".wide table") && e.getBoundingClientRect().right > width + 1) faults.push(`<${e.tagName.toLowerCase()}> reaches ${Math.round(e.getBoundingClientRect().right)} px, the window ends at ${width}`);
  }
  for (const id of wanted) {
    const figure = document.getElementById(id);
    const plots = figure ? [...figure.querySelectorAll("svg.plot")] : [];
    const drawn = plots.filter((p) => p.getBoundingClientRect().height > 50 && p.querySelectorAll("path").length > 1);
    if (plots.length === 0 || drawn.length < plots.length) faults.push(`figure ${id} is missing or empty`);
    if (figure && !figure.querySelector("figcaption")?.textContent.trim()) faults.push(`figure ${id} has no caption`);
  }
  for (const svg of document.querySelectorAll("svg.plot")) {
    const frame = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll("text")) {
      const r = text.getBoundingClientRect();
      if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1) faults.push(`"${text.textContent}" is cut off in ${svg.closest("figure")?.id}`);
    }
  }
  for (const row of document.querySelectorAll("tr")) {
    if (row.getBoundingClientRect().height > 160) faults.push(`a row of a table is ${Math.round(row.getBoundingClientRect().height)} px high: ${row.textContent.slice(0, 40)}`);
  }
  const seen = new Set();
  for (const e of document.querySelectorAll("[id]")) {
    if (seen.has(e.id)) faults.push(`id ${e.id} is given twice`);
    seen.add(e.id);
  }
  for (const a of document.querySelectorAll('a[href^="#"]')) {
    if (!seen.has(a.getAttribute("href").slice(1))) faults.push(`the link ${a.getAttribute("href")} leads nowhere`);
  }
  if (document.querySelector("thead th:not([scope]), tbody th:not([scope]), thead td")) faults.push("a head of a table has no scope");
  const light = (color) => color.match(/\d+/g).slice(0, 3).reduce((sum, c) => sum + Number(c), 0) / 765;
  const style = getComputedStyle(document.body);
  const [ground, ink] = [light(style.backgroundColor), light(style.color)];
  if (dark ? ground > 0.25 || ink < 0.75 : ground < 0.9 || ink > 0.3) faults.push(`${dark ? "dark" : "light"}: the ground is ${style.backgroundColor}, the text ${style.color}`);
  return faults;
}

// nameless counts the images that the accessibility tree has no name for.
async function nameless(page) {
  const session = await page.createCDPSession();
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes.filter((n) => !n.ignored && ["img", "image", "graphics-document", "SvgRoot"].includes(n.role?.value) && !n.name?.value).length;
}

async function faultsOf(browser, file, wanted, { width, dark, print }) {
  const faults = [];
  const page = await browser.newPage();
  page.on("console", (m) => faults.push(`console: ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => faults.push(`error: ${e.message}`));
  page.on("request", (r) => {
    if (r.url() !== pathToFileURL(file).href && !r.url().startsWith("data:")) faults.push(`request: ${r.url()}`);
  });
  await page.setViewport({ width, height: 844, isMobile: width < 600, hasTouch: width < 600, deviceScaleFactor: width < 600 ? 2 : 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  if (print) await page.emulateMediaType("print"); // instead: each forgets the other
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  faults.push(...(await page.evaluate(inspect, wanted, dark)));
  const images = await nameless(page);
  if (images > 0) faults.push(`${images} images have no name`);
  return { page, faults };
}

// ways to break a page, a part of the fault that has to be found, and where; on a phone if not given.
const breakages = [
  [(t) => t.replace("</main>", "<script>console.log('x')</script></main>"), "console: "],
  [(t) => t.replace("</main>", '<img alt="x" src="http://127.0.0.1:9/x.png"></main>'), "console: "],
  [(t) => t.replace(/<meta http-equiv[^>]*>/, "").replace("</main>", '<img alt="x" src="http://127.0.0.1:9/x.png"></main>'), "request: "],
  [(t) => t.replace("</main>", '<div style="width:700px">x</div></main>'), "the page is 7"],
  [(t) => t.replace('class="wide"', ""), "px, the window ends"],
  [(t) => t.replace('id="fig-scoreboard"', ""), "figure fig-scoreboard is missing"],
  [(t) => t.replace(/aria-label="[^"]*" viewBox/, "viewBox"), "images have no name"],
  [(t) => t.replace("</main>", '<p id="fig-scoreboard">x</p></main>'), "id fig-scoreboard is given twice"],
  [(t) => t.replace('<th scope="col"', "<th"), "has no scope"],
  [(t) => t.replace("min-width: 8.5rem", "overflow-wrap: anywhere !important"), "a row of a table is"],
  [(t) => t.replace("prefers-color-scheme: dark", "prefers-color-scheme: none"), "dark: the ground"],
  [(t) => t.replace(/<text x="/, '<text x="-99'), "is cut off"],
  [(t) => t.replace("</main>", `<div class="wide"><table><tr><td class="n">${"x".repeat(300)}</td></tr></table></div></main>`), "a table reaches", { width: paper, dark: false, print: true }],
];

async function testItself(browser, file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hsnas-report-"));
  const whole = fs.readFileSync(file, "utf8");
  for (const [i, [breakIt, wanted, where]] of breakages.entries()) {
    const broken = path.join(folder, `broken-${i}.html`);
    fs.writeFileSync(broken, breakIt(whole));
    const { page, faults } = await faultsOf(browser, broken, ["fig-scoreboard"], where ?? phone);
    await page.close();
    if (!faults.some((f) => f.includes(wanted))) throw new Error(`the check does not find what is broken: wanted "${wanted}", found ${JSON.stringify(faults)}`);
  }
  fs.rmSync(folder, { recursive: true });
}

const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
let failed = false;
try {
  const whole = pages.find((p) => expected(p).includes("fig-scoreboard"));
  if (whole) await testItself(browser, whole);
  for (const file of pages) {
    const run = path.basename(path.dirname(path.dirname(file)));
    const bytes = fs.statSync(file).size;
    const all = new Set(bytes > most ? [`the page has ${bytes} bytes, 3 MiB are allowed`] : []);
    const printed = await faultsOf(browser, path.resolve(file), expected(file), { width: paper, dark: false, print: true });
    printed.faults.forEach((f) => all.add(`${f} (printed)`));
    await printed.page.close();
    for (const width of [390, 1280]) {
      for (const dark of [false, true]) {
        const { page, faults } = await faultsOf(browser, path.resolve(file), expected(file), { width, dark });
        faults.forEach((f) => all.add(`${f} (${width} px)`));
        if (shots) {
          fs.mkdirSync(shots, { recursive: true });
          const name = path.join(shots, `${run}-${width}-${dark ? "dark" : "light"}`);
          await page.screenshot({ path: `${name}.png`, fullPage: true });
          if (width > 600 && dark) await page.pdf({ path: path.join(shots, `${run}.pdf`), preferCSSPageSize: true });
        }
        await page.close();
      }
    }
    console.log(`check-report: ${run}: ${Math.round(bytes / 1024)} KiB, ${expected(file).length} figures, ${all.size ? "faults:" : "passed"}`);
    for (const f of all) console.log(`check-report: ${run}: ${f}`);
    failed ||= all.size > 0;
  }
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
