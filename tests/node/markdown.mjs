// Renders Markdown as frontends do: a JSON list of texts a line comes in, a list of objects goes out: HTML by renderer.
import { createInterface } from "node:readline";

import * as commonmark from "commonmark";
import MarkdownIt from "markdown-it";
import { marked } from "marked";
import showdown from "showdown";
import snarkdown from "snarkdown";

const careful = new MarkdownIt({ linkify: true });
const careless = new MarkdownIt({ html: true, linkify: true });
careless.validateLink = () => true;
const reader = new commonmark.Parser();
const writer = new commonmark.HtmlRenderer();
const plain = new showdown.Converter();
const github = new showdown.Converter();
github.setFlavor("github");
const ghost = new showdown.Converter();
ghost.setFlavor("ghost");

const renderers = {
  commonmark: (text) => writer.render(reader.parse(text)),
  "markdown-it": (text) => careful.render(text),
  "markdown-it with html and any address": (text) => careless.render(text),
  marked: (text) => marked.parse(text),
  "marked without gfm": (text) => marked.parse(text, { gfm: false }),
  showdown: (text) => plain.makeHtml(text),
  "showdown as github": (text) => github.makeHtml(text),
  "showdown as ghost": (text) => ghost.makeHtml(text),
  snarkdown: (text) => snarkdown(text),
};

for await (const line of createInterface({ input: process.stdin })) {
  const rendered = JSON.parse(line).map((text) =>
    Object.fromEntries(Object.entries(renderers).map(([name, render]) => [name, render(text)])),
  );
  process.stdout.write(JSON.stringify(rendered) + "\n");
}
