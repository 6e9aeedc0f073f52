'use strict';

SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  showExtensions: true,
  validatorUrl: null,
});
