// How do the pages' styles, fonts, icons and scripts become hashed files in api/static/?
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const icons = join(dirname(createRequire(import.meta.url).resolve("lucide-static/package.json")), "icons");

/** Every template below a folder, read whole. */
function templates(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".html"))
    .map((name) => readFileSync(join(folder, name), "utf8"));
}

/** The inner marks of one icon: the template draws the <svg> around them. */
function marks(name: string): string {
  const svg = readFileSync(join(icons, `${name}.svg`), "utf8");
  return svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s+/g, " ").trim();
}

/** Writes icons.json with just the icons that some template names: {{ icon("search") }}. */
function iconsInUse(): Plugin {
  return {
    name: "icons-in-use",
    generateBundle() {
      const names = new Set<string>();
      for (const text of templates(join(here, "templates"))) {
        for (const [, name] of text.matchAll(/\bicon\(\s*"([a-z0-9-]+)"/g)) names.add(name!);
      }
      const found = Object.fromEntries([...names].sort().map((name) => [name, marks(name)]));
      this.emitFile({ type: "asset", fileName: "icons.json", source: JSON.stringify(found) });
      this.emitFile({ type: "asset", fileName: "mark.svg", source: readFileSync(join(here, "src/mark.svg")) });
    },
  };
}

export default defineConfig({
  root: here,
  base: "/static/",
  publicDir: false,
  plugins: [tailwindcss(), iconsInUse()],
  build: {
    outDir: join(here, "../static"),
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsDir: "assets",
    assetsInlineLimit: 0, // a content security policy without data: needs fonts and images as files
    modulePreload: false,
    target: "es2023",
    rolldownOptions: { input: join(here, "src/main.ts") },
  },
});
