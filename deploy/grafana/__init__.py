"""Three dashboards, authored here and committed as the JSON that Grafana reads: python -m deploy.grafana.generate."""
