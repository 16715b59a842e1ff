"""GraphQL: the market core's answers by query, its events by subscription."""
