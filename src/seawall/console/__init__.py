"""The reviewer's pages: templates, static files, and the routes that fill them. No business logic lives here."""
