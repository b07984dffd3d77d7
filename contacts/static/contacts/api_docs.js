// Shows the schema, and lets what is tried run under the session of whoever looks at the page.
const place = document.getElementById("api");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // The line to copy shows the request as a program would send it: with a key of its own, without our token.
  showMutatedRequest: false,
  requestInterceptor: (request) => {
    if (request.method !== "GET") request.headers["X-CSRFToken"] = token;
    return request;
  },
});
