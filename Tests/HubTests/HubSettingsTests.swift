import Foundation
import TestSupport
import Testing

@testable import Hub

/// What the environment says, against what `huggingface_hub` makes of it.
@Suite struct HubSettingsTests {
    private func cache(_ environment: [String: String]) -> String {
        HubSettings(environment: ["HOME": "/h"].merging(environment) { $1 }).cache.path
    }

    @Test("the cache's folder")
    func folders() {
        #expect(cache([:]) == "/h/.cache/huggingface/hub")
        #expect(cache(["XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
        #expect(cache(["XDG_CACHE_HOME": "/x", "HF_HOME": "/hf"]) == "/hf/hub")
        #expect(cache(["HF_HOME": "/hf", "HUGGINGFACE_HUB_CACHE": "/old"]) == "/old")
        #expect(cache(["HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "/new"]) == "/new")
        #expect(cache(["HF_HOME": "~/hf"]) == "/h/hf/hub")
        #expect(cache(["HF_HOME": "$DISK/${WHO}/$NONE/hf", "DISK": "/d", "WHO": "me"]) == "/d/me/$NONE/hf/hub")
        #expect(cache(["HF_HOME": ""]) == "/h/.cache/huggingface/hub")
    }

    @Test("the address, and whether it may be asked")
    func endpoint() {
        #expect(HubSettings(environment: [:]).endpoint == "https://huggingface.co")
        #expect(HubSettings(environment: ["HF_ENDPOINT": "http://127.0.0.1:1/"]).endpoint == "http://127.0.0.1:1")
        for yes in ["1", "true", "YES", "on"] {
            #expect(HubSettings(environment: ["HF_HUB_OFFLINE": yes]).isOffline)
            #expect(HubSettings(environment: ["TRANSFORMERS_OFFLINE": yes]).isOffline)
        }
        #expect(!HubSettings(environment: ["HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "no"]).isOffline)
        #expect(HubSettings(environment: ["HF_ENDPOINT": "hub"]).problems.count == 1)
    }

    @Test("the token, which no description tells")
    func tokens() throws {
        let directory = try TemporaryDirectory()
        let home = directory.url.path
        func token(_ environment: [String: String]) -> HubToken? {
            HubSettings(environment: ["HOME": home, "HF_HOME": home].merging(environment) { $1 }).token
        }
        #expect(token([:]) == nil)
        try directory.write("token", " hf_file\n")
        try directory.write("stored_tokens", "[other]\nhf_token = hf_x\n\n[mine]\nhf_token = hf_file\n")
        try directory.write("elsewhere", "hf_elsewhere")
        #expect(token([:])?.secret == "hf_file")
        #expect(token([:])?.source == home + "/token, stored as mine")
        #expect(token(["HF_TOKEN_PATH": home + "/elsewhere"])?.secret == "hf_elsewhere")
        #expect(token(["HUGGING_FACE_HUB_TOKEN": "hf_old"])?.secret == "hf_old")
        #expect(token(["HUGGING_FACE_HUB_TOKEN": "hf_old", "HF_TOKEN": "hf_\nnew\r\n"])?.secret == "hf_new")
        #expect(token(["HF_TOKEN": "hf_new", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]) == nil)
        let found = try #require(token(["HF_TOKEN": "hf_secret"]))
        var dumped = ""
        dump(found, to: &dumped)
        #expect(!("\(found)" + String(reflecting: found) + dumped).contains("secret"))
        #expect(HubSettings(environment: ["HF_TOKEN": "hf é"]).problems.count == 1)
    }
}
