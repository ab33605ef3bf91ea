module assistant-platform.io/local/binaries/pause

go 1.25.0
