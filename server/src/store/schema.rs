//! The tables as diesel sees them; a test holds this page against the migrated database.

diesel::table! {
    access_tokens (id) {
        id -> Uuid,
        user_id -> Uuid,
        label -> Text,
        digest -> Bytea,
        created_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    branch_attempts (repository_id, branch, commit) {
        repository_id -> Uuid,
        branch -> Text,
        commit -> Text,
        content -> Text,
        at -> Timestamptz,
    }
}

diesel::table! {
    branches (repository_id, name) {
        repository_id -> Uuid,
        name -> Text,
        head -> Nullable<Text>,
        pushed_commit -> Nullable<Text>,
        pushed_content -> Nullable<Text>,
        updated_at -> Timestamptz,
        head_read_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    campaign_specs (id) {
        id -> Uuid,
        namespace_id -> Uuid,
        author_id -> Uuid,
        name -> Text,
        text -> Text,
        description -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        applied_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    campaigns (id) {
        id -> Uuid,
        namespace_id -> Uuid,
        name -> Text,
        spec_id -> Uuid,
        applied_by -> Uuid,
        applied_at -> Timestamptz,
        rewired_spec_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    changeset_specs (id) {
        id -> Uuid,
        campaign_spec_id -> Nullable<Uuid>,
        repository_id -> Uuid,
        spec -> Jsonb,
        kind -> Text,
        head -> Nullable<Text>,
        base -> Nullable<Text>,
        title -> Nullable<Text>,
        number -> Nullable<Int8>,
        diff -> Nullable<Bytea>,
        files -> Nullable<Int4>,
        added -> Nullable<Int4>,
        removed -> Nullable<Int4>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    changesets (id) {
        id -> Uuid,
        campaign_id -> Uuid,
        repository_id -> Uuid,
        kind -> Text,
        branch -> Nullable<Text>,
        number -> Nullable<Int8>,
        spec_id -> Uuid,
        reconciled_spec_id -> Nullable<Uuid>,
        intent -> Text,
        publication -> Nullable<Text>,
        reopen -> Text,
        drift -> Text,
        drift_head -> Nullable<Text>,
        pull_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
        detached_at -> Nullable<Timestamptz>,
        released_at -> Nullable<Timestamptz>,
        reached_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    code_hosts (id) {
        id -> Uuid,
        kind -> Text,
        api_url -> Text,
        git_url -> Text,
        web_url -> Text,
        writes_per_minute -> Int4,
        writes_per_hour -> Int4,
        write_gap_millis -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    credentials (id) {
        id -> Uuid,
        code_host_id -> Uuid,
        user_id -> Nullable<Uuid>,
        label -> Text,
        sealed -> Bytea,
        key_id -> Text,
        paused_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        refused_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    deliveries (code_host_id, id) {
        code_host_id -> Uuid,
        id -> Text,
        event -> Text,
        payload -> Bytea,
        received_at -> Timestamptz,
        processed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    drafts (id) {
        id -> Uuid,
        author_id -> Uuid,
        namespace_id -> Uuid,
        text -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    effects (id) {
        id -> Uuid,
        changeset_id -> Uuid,
        job_id -> Uuid,
        fence -> Int8,
        attempt -> Int4,
        kind -> Text,
        request -> Jsonb,
        state -> Text,
        outcome -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    executions (id) {
        id -> Uuid,
        campaign_spec_id -> Uuid,
        state -> Text,
        reason -> Nullable<Text>,
        warnings -> Array<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        partial_reason -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        kind -> Text,
        payload -> Jsonb,
        unique_key -> Nullable<Text>,
        state -> Text,
        priority -> Int2,
        attempt -> Int4,
        attempts_max -> Int4,
        run_at -> Timestamptz,
        leased_until -> Nullable<Timestamptz>,
        leased_by -> Nullable<Text>,
        fence -> Nullable<Int8>,
        last_error -> Nullable<Text>,
        failure -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    left_out (campaign_id, changeset_spec_id) {
        campaign_id -> Uuid,
        changeset_spec_id -> Uuid,
        reason -> Text,
    }
}

diesel::table! {
    log_chunks (workspace_id, line) {
        workspace_id -> Uuid,
        line -> Int8,
        lines -> Int4,
        at -> Timestamptz,
        step -> Int4,
        text -> Text,
    }
}

diesel::table! {
    members (organisation_id, user_id) {
        organisation_id -> Uuid,
        user_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    namespaces (id) {
        id -> Uuid,
        name -> Text,
        user_id -> Nullable<Uuid>,
        organisation_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    organisations (id) {
        id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    plan_rows (campaign_spec_id, hash, position) {
        campaign_spec_id -> Uuid,
        hash -> Text,
        position -> Int4,
        changeset_spec_id -> Uuid,
        row -> Jsonb,
    }
}

diesel::table! {
    plans (campaign_spec_id, hash) {
        campaign_spec_id -> Uuid,
        hash -> Text,
        rows -> Jsonb,
        created_at -> Timestamptz,
        applied_spec_id -> Nullable<Uuid>,
        summary -> Jsonb,
        made_at -> Timestamptz,
    }
}

diesel::table! {
    pulls (id) {
        id -> Uuid,
        repository_id -> Uuid,
        number -> Int8,
        state -> Text,
        title -> Text,
        body -> Text,
        base -> Text,
        branch -> Text,
        head -> Text,
        url -> Text,
        closed_by -> Nullable<Text>,
        created_at -> Timestamptz,
        synced_at -> Timestamptz,
        next_sync_at -> Nullable<Timestamptz>,
        merged_at -> Nullable<Timestamptz>,
        reopen_refused -> Bool,
        missing_since -> Nullable<Timestamptz>,
        missing_times -> Int4,
        closing_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    repositories (id) {
        id -> Uuid,
        code_host_id -> Uuid,
        name -> Text,
        default_branch -> Text,
        archived -> Bool,
        language -> Nullable<Text>,
        topics -> Array<Text>,
        created_at -> Timestamptz,
        seen_at -> Timestamptz,
        external_id -> Nullable<Int8>,
        name_lost_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sessions (digest) {
        digest -> Bytea,
        user_id -> Uuid,
        created_at -> Timestamptz,
        seen_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    setup_tokens (only_one) {
        only_one -> Bool,
        digest -> Bytea,
        created_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    timeline (id) {
        id -> Int8,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        campaign_id -> Uuid,
        changeset_id -> Nullable<Uuid>,
        text -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    workspaces (id) {
        id -> Uuid,
        execution_id -> Uuid,
        repository_id -> Nullable<Uuid>,
        branch -> Nullable<Text>,
        base_commit -> Nullable<Text>,
        state -> Text,
        step -> Nullable<Int4>,
        steps_total -> Int4,
        reason -> Nullable<Text>,
        files -> Nullable<Int4>,
        added -> Nullable<Int4>,
        removed -> Nullable<Int4>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        named -> Nullable<Text>,
    }
}

diesel::table! {
    write_spends (id) {
        id -> Int8,
        credential_id -> Uuid,
        at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    access_tokens,
    branch_attempts,
    branches,
    campaign_specs,
    campaigns,
    changeset_specs,
    changesets,
    code_hosts,
    credentials,
    deliveries,
    drafts,
    effects,
    executions,
    jobs,
    log_chunks,
    members,
    namespaces,
    organisations,
    plans,
    pulls,
    repositories,
    sessions,
    setup_tokens,
    timeline,
    users,
    workspaces,
    write_spends,
);
