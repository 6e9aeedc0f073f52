# One static binary in an otherwise empty image. Build and run:
#
#   docker build --build-arg VERSION=0.1.0 -t qingfu .
#   docker run -p 8080:8080 -v qingfu:/data qingfu

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/server ./server \
 && mkdir /out/data /out/photos

FROM scratch
# The roots of trust for calls to others; the time zones are in the binary.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/server /server
# A new volume takes over the owner of the folder that it is mounted on. Photos are in the data
# folder unless several servers share them on a volume of their own (compose.yaml).
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/photos /photos
COPY NOTICE charts/OFL.txt /
USER 65532:65532
ENV QINGFU_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=2m CMD ["/server", "health"]
ENTRYPOINT ["/server"]
