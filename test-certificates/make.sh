set -e
key() { openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"; }
authority() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.pem"; }
signed() {
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$2" "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "$4" -days 3650 -extfile "$1.ext" -out "$1.pem"
}
authority ca
authority other
signed server DNS:localhost,IP:127.0.0.1 serverAuth 1
signed client DNS:client clientAuth 2
