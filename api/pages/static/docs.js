// /docs: Swagger UI over /openapi.json.

import { startShell } from "./shell.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const restyle = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

startShell();
restyle();
dark.addEventListener("change", restyle);
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: false,
  defaultModelsExpandDepth: 0,
});
